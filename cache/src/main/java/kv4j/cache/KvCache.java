package kv4j.cache;

import kv4j.cache.block.KvLayout;

/**
 * The pluggable cache that attention asks for keys and values. It opens a {@link KvSequence} for
 * each request; the sequence is what a model calls at every attention layer. Safe for use by many
 * threads.
 *
 * <p>To add one, implement {@link KvCacheProvider} and name it in {@code
 * META-INF/services/kv4j.cache.KvCacheProvider}.
 */
public interface KvCache extends AutoCloseable {
  /** The shape of what this cache keeps. */
  KvLayout layout();

  /**
   * Finds the longest usable prefix of a prompt and starts a sequence on it. At least one prompt
   * token is always left to compute.
   */
  KvSequence open(KvRequest request);

  /** Counts since this cache was made. */
  CacheStats stats();

  /** Drops everything kept. */
  @Override
  void close();
}
