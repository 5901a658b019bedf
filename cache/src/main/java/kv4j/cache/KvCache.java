package kv4j.cache;

import java.util.Optional;
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
   *
   * @throws IllegalStateException if the cache is closed
   */
  KvSequence open(KvRequest request);

  /** Counts since this cache was made. */
  CacheStats stats();

  /** All that is kept, at one moment; empty if this cache has nothing of that kind to show. */
  default Optional<TreeSnapshot> snapshot() {
    return Optional.empty();
  }

  /**
   * Drops everything kept and refuses further requests; open sequences go on, and what they commit
   * is not kept. May be called more than once.
   */
  @Override
  void close();
}
