package kv4j.cache;

import java.time.Duration;
import java.util.Optional;
import kv4j.cache.block.KvLayout;

/**
 * What a cache is made from. Providers take what concerns them.
 *
 * @param layout shape of keys and values
 * @param maxBytes most bytes kept between requests
 * @param timeToLive how long an entry may be kept; empty: for ever
 */
public record KvCacheConfig(KvLayout layout, long maxBytes, Optional<Duration> timeToLive) {
  public KvCacheConfig {
    if (maxBytes < 1) {
      throw new IllegalArgumentException(
          "the cache's size limit must be positive, not " + maxBytes);
    }
    timeToLive.ifPresent(
        ttl -> {
          if (ttl.isZero() || ttl.isNegative()) {
            throw new IllegalArgumentException("the time-to-live must be positive, not " + ttl);
          }
        });
  }

  public static KvCacheConfig of(KvLayout layout, long maxBytes) {
    return new KvCacheConfig(layout, maxBytes, Optional.empty());
  }
}
