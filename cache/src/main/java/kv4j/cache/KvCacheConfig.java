package kv4j.cache;

import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import kv4j.cache.block.KvLayout;
import kv4j.cache.store.StoreConfig;

/**
 * What a cache is made from. A provider heeds all that is asked for, or refuses by name what it
 * cannot do; {@link kv4j.cache.contract.Contract} checks that.
 *
 * @param layout shape of keys and values
 * @param maxBytes most bytes kept between requests; what running requests fill counts too, where a
 *     cache can tell
 * @param timeToLive how long an entry may be kept; empty: for ever
 * @param refreshOnHit whether the time to live begins anew each time an entry is used
 * @param policy which entry makes room for others
 * @param ticker the clock that the time to live is measured by
 * @param listener told of lookups, insertions and removals
 * @param store where blocks are kept besides; empty: nowhere
 */
public record KvCacheConfig(
    KvLayout layout,
    long maxBytes,
    Optional<Duration> timeToLive,
    boolean refreshOnHit,
    EvictionPolicy policy,
    Ticker ticker,
    Consumer<CacheEvent> listener,
    Optional<StoreConfig> store) {
  private static final System.Logger LOG = System.getLogger(KvCacheConfig.class.getName());

  public KvCacheConfig {
    Objects.requireNonNull(policy);
    Objects.requireNonNull(ticker);
    Objects.requireNonNull(listener);
    Objects.requireNonNull(store);
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

  /** Least recently used first, a time to live refreshed by hits, the system's clock. */
  public KvCacheConfig(KvLayout layout, long maxBytes, Optional<Duration> timeToLive) {
    this(
        layout,
        maxBytes,
        timeToLive,
        true,
        EvictionPolicy.Standard.LRU,
        Ticker.systemTicker(),
        event -> {},
        Optional.empty());
  }

  public static KvCacheConfig of(KvLayout layout, long maxBytes) {
    return new KvCacheConfig(layout, maxBytes, Optional.empty());
  }

  /**
   * Tells the listener of an event. What the listener throws is only logged, so that it cannot
   * break the request that caused the event.
   */
  public void tell(CacheEvent event) {
    try {
      listener.accept(event);
    } catch (RuntimeException | Error e) {
      LOG.log(System.Logger.Level.WARNING, "a cache listener failed", e);
    }
  }

  /** The same with a time to live. */
  public KvCacheConfig withTimeToLive(Duration ttl, boolean refreshOnHit) {
    return new KvCacheConfig(
        layout, maxBytes, Optional.of(ttl), refreshOnHit, policy, ticker, listener, store);
  }

  /** The same with another eviction policy. */
  public KvCacheConfig withPolicy(EvictionPolicy other) {
    return new KvCacheConfig(
        layout, maxBytes, timeToLive, refreshOnHit, other, ticker, listener, store);
  }

  /** The same with another clock. */
  public KvCacheConfig withTicker(Ticker other) {
    return new KvCacheConfig(
        layout, maxBytes, timeToLive, refreshOnHit, policy, other, listener, store);
  }

  /** The same with another listener. */
  public KvCacheConfig withListener(Consumer<CacheEvent> other) {
    return new KvCacheConfig(
        layout, maxBytes, timeToLive, refreshOnHit, policy, ticker, other, store);
  }

  /** The same with a store behind it. */
  public KvCacheConfig withStore(StoreConfig other) {
    return new KvCacheConfig(
        layout, maxBytes, timeToLive, refreshOnHit, policy, ticker, listener, Optional.of(other));
  }
}
