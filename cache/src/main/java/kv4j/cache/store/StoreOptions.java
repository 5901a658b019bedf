package kv4j.cache.store;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How to open a store.
 *
 * @param argument what its kind makes of it: a folder, a cluster's name
 * @param maxBytes most bytes it keeps; empty: as it sees fit
 * @param timeToLive how long it keeps a value after it was put; empty: for ever
 * @param cluster how it finds others
 */
public record StoreOptions(
    String argument,
    OptionalLong maxBytes,
    Optional<Duration> timeToLive,
    Optional<ClusterOptions> cluster) {
  public StoreOptions {
    Objects.requireNonNull(argument);
    Objects.requireNonNull(cluster);
    if (maxBytes.isPresent() && maxBytes.getAsLong() < 1) {
      throw new IllegalArgumentException(
          "the store's size limit must be positive, not " + maxBytes.getAsLong());
    }
    timeToLive.ifPresent(
        ttl -> {
          if (ttl.isZero() || ttl.isNegative()) {
            throw new IllegalArgumentException(
                "the store's time-to-live must be positive, not " + ttl);
          }
        });
  }

  /** No limits, nobody else. */
  public static StoreOptions of(String argument) {
    return new StoreOptions(argument, OptionalLong.empty(), Optional.empty(), Optional.empty());
  }
}
