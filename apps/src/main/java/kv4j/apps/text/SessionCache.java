package kv4j.apps.text;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.store.StoreChoice;
import kv4j.cache.CacheEvent;
import kv4j.cache.EvictionPolicy;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.cache.faulty.Fault;
import kv4j.cache.faulty.FaultyCacheProvider;
import kv4j.cache.radix.RadixProvider;
import kv4j.inference.InferenceEngine;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/**
 * The prefix cache of a {@link TextSession}, and the options that ask for it.
 *
 * @param maxBytes most bytes it keeps
 * @param timeToLive how long it keeps what nobody uses; empty: for ever
 * @param policy what makes room first
 * @param dtype how it keeps numbers
 * @param fault what is to be wrong with what requests find cached
 * @param store what is behind it; empty: nothing
 */
public record SessionCache(
    long maxBytes,
    Optional<Duration> timeToLive,
    EvictionPolicy policy,
    KvDtype dtype,
    Optional<Fault> fault,
    Optional<StoreChoice> store) {
  /** Most it keeps. */
  public static final ValueOption<Long> MAX_BYTES =
      ValueOption.of("max-bytes", "SIZE", "most the cache keeps", "1GiB", Values::bytes);

  /** How long. */
  public static final ValueOption<Duration> TTL =
      ValueOption.optional(
          "ttl",
          "TIME",
          "how long the cache keeps an entry, such as 10m or 1h30m (default: for ever)",
          Values::duration);

  /** What makes room. */
  public static final ValueOption<EvictionPolicy.Standard> POLICY =
      ValueOption.oneOf(
          "policy",
          "NAME",
          "what makes room first: " + Values.names(EvictionPolicy.Standard.class, ", "),
          "lru",
          EvictionPolicy.Standard.class);

  /** How numbers are kept. */
  public static final ValueOption<KvDtype> CACHE_DTYPE =
      ValueOption.oneOf(
          "cache-dtype",
          "TYPE",
          "how caches keep numbers: " + Values.names(KvDtype.class, ", "),
          KvDtype.F32,
          KvDtype.class);

  /** Tokens in a block. */
  public static final int BLOCK_TOKENS = 16;

  private static final String RADIX = "radix";
  private static final ValueOption<Optional<Fault>> CACHE =
      ValueOption.of(
          "cache",
          "NAME",
          "radix, or faulty:layer=0:amount=0.5 and the like, which is wrong on purpose",
          RADIX,
          SessionCache::fault);

  /**
   * As its parts say.
   *
   * @throws IllegalArgumentException if a cache that is wrong on purpose is to have a store, where
   *     what is computed from wrong keys and values would outlive it
   */
  public SessionCache {
    if (fault.isPresent() && store.isPresent()) {
      throw new IllegalArgumentException(
          "--store does not go with --cache faulty, whose wrong keys and values would be kept");
    }
  }

  /** One that keeps so many bytes, and is as usual else. */
  public static SessionCache of(long maxBytes) {
    return new SessionCache(
        maxBytes,
        Optional.empty(),
        EvictionPolicy.Standard.LRU,
        KvDtype.F32,
        Optional.empty(),
        Optional.empty());
  }

  /** The same with another store behind it, or none. */
  public SessionCache withStore(Optional<StoreChoice> other) {
    return new SessionCache(maxBytes, timeToLive, policy, dtype, fault, other);
  }

  /** Adds all options. */
  public static void addTo(Options options) {
    for (ValueOption<?> option : List.of(CACHE, CACHE_DTYPE, MAX_BYTES, POLICY, TTL)) {
      options.addOption(option.option());
    }
    StoreChoice.addTo(options);
  }

  /**
   * Reads them.
   *
   * @throws IllegalArgumentException with one sentence if one is wrong
   */
  public static SessionCache read(CommandLine line) {
    return new SessionCache(
        MAX_BYTES.in(line),
        TTL.find(line),
        POLICY.in(line),
        CACHE_DTYPE.in(line),
        CACHE.in(line),
        StoreChoice.read(line));
  }

  /**
   * What it is made from, but for the store.
   *
   * @param listener told of what happens in it
   */
  public KvCacheConfig config(InferenceEngine engine, Consumer<CacheEvent> listener) {
    return new KvCacheConfig(engine.layout(BLOCK_TOKENS, dtype), maxBytes, timeToLive)
        .withPolicy(policy)
        .withListener(listener);
  }

  private static Optional<Fault> fault(String name) {
    if (name.equals(RADIX)) {
      return Optional.empty();
    }
    if (!FaultyCacheProvider.isNamedBy(name)) {
      throw new IllegalArgumentException("must be radix or faulty, not \"" + name + "\"");
    }
    return Optional.of(FaultyCacheProvider.of(name, SessionCache::onlyRadix).fault());
  }

  private static KvCacheProvider onlyRadix(String name) {
    if (!name.equals(RADIX)) {
      throw new IllegalArgumentException("can be faulty over radix only, not over " + name);
    }
    return new RadixProvider();
  }
}
