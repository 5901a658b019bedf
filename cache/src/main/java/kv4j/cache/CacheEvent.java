package kv4j.cache;

/**
 * Something that happened in a cache, told to {@link KvCacheConfig#listener()} on the thread whose
 * call caused it, after the cache's lock was released: a listener may call the cache, and what it
 * is slow at delays only that caller. Events of different threads may arrive in either order.
 */
public sealed interface CacheEvent {
  /** The tenant concerned. */
  String namespace();

  /** A lookup, hit or miss. */
  record Found(String namespace, Lookup lookup) implements CacheEvent {}

  /**
   * Tokens that were computed and are kept from now on.
   *
   * @param start position of the first token in its sequence
   * @param tokens their ids; not to be modified
   * @param entries blocks adopted for them
   * @param bytes of those blocks
   */
  record Inserted(String namespace, int start, int[] tokens, int entries, long bytes)
      implements CacheEvent {}

  /**
   * Tokens that are no longer kept.
   *
   * @param start position of the first token in its sequence
   * @param tokens how many
   * @param entries blocks let go
   * @param bytes of those blocks
   * @param cause why
   */
  record Removed(
      String namespace, int start, int tokens, int entries, long bytes, CacheStats.Removal cause)
      implements CacheEvent {}
}
