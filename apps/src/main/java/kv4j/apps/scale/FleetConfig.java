package kv4j.apps.scale;

import java.util.Objects;
import java.util.Optional;
import kv4j.cache.EvictionPolicy;

/**
 * Servers, and what stands before and behind them.
 *
 * @param nodes servers, all alike
 * @param routing how requests are given to them
 * @param hashTokens tokens of a prompt's beginning that routing looks at
 * @param memoryBytes most bytes that a server's cache keeps
 * @param policy what makes room first there
 * @param store what they share besides; empty: nothing
 * @param bytesPerToken of keys and values
 * @param prefillRate tokens a second that a server computes
 */
public record FleetConfig(
    int nodes,
    Routing routing,
    int hashTokens,
    long memoryBytes,
    EvictionPolicy policy,
    Optional<Store> store,
    long bytesPerToken,
    double prefillRate) {
  /**
   * A store that the servers make up together.
   *
   * @param owners servers that keep each block
   * @param bytes most bytes that each server keeps for all
   * @param bytesPerSecond that a server reads from others
   */
  public record Store(int owners, long bytes, double bytesPerSecond) {
    public Store {
      if (owners < 1 || bytes < 1 || !(bytesPerSecond > 0)) {
        throw new IllegalArgumentException(
            "a store has owners, bytes and a rate, not %d, %d and %s"
                .formatted(owners, bytes, bytesPerSecond));
      }
    }
  }

  public FleetConfig {
    Objects.requireNonNull(routing);
    Objects.requireNonNull(policy);
    Objects.requireNonNull(store);
    if (nodes < 1 || hashTokens < 1 || memoryBytes < 1 || bytesPerToken < 1 || !(prefillRate > 0)) {
      throw new IllegalArgumentException(
          "everything of a fleet is more than 0, not %d nodes, %d tokens, %d and %d bytes and %s/s"
              .formatted(nodes, hashTokens, memoryBytes, bytesPerToken, prefillRate));
    }
  }

  /** Whether blocks come from others sooner than they are computed. */
  boolean isReadingFaster(Store shared) {
    return shared.bytesPerSecond() / bytesPerToken > prefillRate;
  }
}
