package kv4j.cache.store;

import java.time.Duration;
import java.util.Objects;
import kv4j.cache.block.KvDtype;

/**
 * How a cache uses a store behind it.
 *
 * @param store the caller's, who closes it after the cache
 * @param when blocks go down
 * @param minTokens chains of fewer tokens are not worth keeping
 * @param dtype how numbers are kept there: with fewer bits than the cache's own, what comes back is
 *     not exact
 * @param deadline longest that a request waits for the store
 */
public record StoreConfig(
    BlockStore store, When when, int minTokens, KvDtype dtype, Duration deadline) {
  /** When blocks go down. */
  public enum When {
    /** As soon as they are committed, in the background. */
    COMMIT,
    /** When they make room for others, and when the cache is closed. */
    EVICT
  }

  public StoreConfig {
    Objects.requireNonNull(store);
    Objects.requireNonNull(when);
    Objects.requireNonNull(dtype);
    if (minTokens < 1) {
      throw new IllegalArgumentException(
          "a chain worth keeping has at least 1 token, not " + minTokens);
    }
    if (deadline.isZero() || deadline.isNegative()) {
      throw new IllegalArgumentException("the store's deadline must be positive, not " + deadline);
    }
  }
}
