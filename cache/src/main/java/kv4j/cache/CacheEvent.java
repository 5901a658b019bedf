package kv4j.cache;

/**
 * Something that happened in a cache, told to {@link KvCacheConfig#listener()} on the thread whose
 * call caused it, after the cache's lock was released: a listener may call the cache, and what it
 * is slow at delays only that caller. Events of different threads may therefore arrive in another
 * order than that of their numbers.
 *
 * <p>A run is a stretch of tokens in a tree of prefixes, as {@link TreeSnapshot} lists them: a
 * snapshot and the events with higher numbers than its own, applied in the order of their numbers,
 * give the tree as it is after the last of them. Caches that keep no tree tell of runs 0.
 */
public sealed interface CacheEvent {
  /** Counts a cache's events from 1 on, in the order in which what they tell of happened. */
  long number();

  /** The tenant concerned. */
  String namespace();

  /**
   * A lookup, hit or miss.
   *
   * @param run where the whole blocks end that the lookup found, which are held while its sequence
   *     is open; 0 if there are none
   * @param label what the request is called
   */
  record Found(long number, String namespace, long run, Lookup lookup, String label)
      implements CacheEvent {}

  /**
   * Tokens that were computed and are kept from now on, as a run of their own.
   *
   * @param salted whether they can be found with a salt only
   * @param run the new run
   * @param parent the run that it follows; 0 if it begins its sequence
   * @param start position of the first token in its sequence
   * @param tokens their ids; not to be modified
   * @param entries blocks adopted for them
   * @param bytes of those blocks
   * @param label what the request is called that computed them
   */
  record Inserted(
      long number,
      String namespace,
      boolean salted,
      long run,
      long parent,
      int start,
      int[] tokens,
      int entries,
      long bytes,
      String label)
      implements CacheEvent {}

  /**
   * A run became two, one after the other: the beginning of its tokens is a run of its own now.
   *
   * @param run keeps the later tokens, and what follows them
   * @param upper the new run, which takes its place after its parent
   * @param at position of the first token that the old run keeps
   * @param entries blocks that the new run took along
   * @param bytes of those blocks
   */
  record Split(long number, String namespace, long run, long upper, int at, int entries, long bytes)
      implements CacheEvent {}

  /**
   * The last tokens of a run, or all, are no longer kept; the run is gone when it has none left.
   *
   * @param run theirs
   * @param start position of the first of these tokens in its sequence
   * @param tokens how many
   * @param entries blocks let go; 0 if only a run behind had the block that held the tokens
   * @param bytes of those blocks
   * @param cause why
   */
  record Removed(
      long number,
      String namespace,
      long run,
      int start,
      int tokens,
      int entries,
      long bytes,
      CacheStats.Removal cause)
      implements CacheEvent {}

  /**
   * A prefix is kept from now on under a name: neither its runs nor those above are evicted.
   *
   * @param run where it ends
   */
  record Pinned(long number, String namespace, long run, String name) implements CacheEvent {}

  /**
   * A name was given up.
   *
   * @param run where its prefix ends
   */
  record Unpinned(long number, String namespace, long run, String name) implements CacheEvent {}
}
