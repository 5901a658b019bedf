package kv4j.cache;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
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

  /**
   * Opens a sequence if there is room within the limit for its whole prompt, and sets that room
   * aside: for callers that run many sequences and can postpone one.
   *
   * @param again whether the request was opened before and goes on, its prompt being longer by what
   *     it has generated: then it is not counted another time. A cache that never lacks room need
   *     not heed that
   * @return empty if there is no room; nothing was counted then
   * @throws IllegalStateException if the cache is closed
   */
  default Optional<KvSequence> tryOpen(KvRequest request, boolean again) {
    return Optional.of(open(request));
  }

  /**
   * Begins to bring into memory what a store behind this cache has of a prompt, for callers that
   * have other things to do meanwhile; {@link #open} does it by itself, and waits.
   *
   * @return what to open the request with ({@link KvRequest#withPrefetched}); completes when
   *     nothing more is to come, after a limited time, and never exceptionally
   */
  default CompletableFuture<Prefetched> prefetch(KvRequest request) {
    return CompletableFuture.completedFuture(Prefetched.NOTHING);
  }

  /**
   * How many leading tokens of a prompt {@link #open} would find now. It is neither counted nor a
   * use of what is stored, which may be gone a moment later. A cache that answers shares what
   * sequences offer by {@link KvSequence#commitPrefix}.
   *
   * @return empty for a cache that cannot tell
   */
  default OptionalInt cachedTokens(KvRequest request) {
    return OptionalInt.empty();
  }

  /** Whether one sequence may grow to so many tokens without exceeding the limit by itself. */
  default boolean canHold(int tokens) {
    return true;
  }

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
