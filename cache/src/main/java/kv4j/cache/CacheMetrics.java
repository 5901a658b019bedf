package kv4j.cache;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import kv4j.cache.store.StoreStats;

/**
 * Publishes a cache's {@link CacheStats} through Micrometer, which the caller must have on its
 * class path: {@code new CacheMetrics(cache, "agents").bindTo(registry)}. Meters are called {@code
 * kv.cache.*} and are read when the registry is, so that requests pay nothing for them.
 *
 * @param cache the cache; not kept alive by the meters
 * @param name the value of the tag {@code cache}
 */
public record CacheMetrics(KvCache cache, String name) implements MeterBinder {
  private static final double NANOS = 1e9; // of a second

  @Override
  public void bindTo(MeterRegistry registry) {
    count(
        registry,
        "lookups",
        "requests opened",
        Tags.of("result", "hit"),
        stats -> stats.lookups().hits());
    count(
        registry,
        "lookups",
        "requests opened",
        Tags.of("result", "miss"),
        stats -> stats.lookups().count() - stats.lookups().hits());
    count(
        registry,
        "tokens.prompt",
        "prompt tokens",
        Tags.empty(),
        stats -> stats.lookups().promptTokens());
    count(
        registry,
        "tokens.cached",
        "cached tokens",
        Tags.empty(),
        stats -> stats.lookups().cachedTokens());
    count(
        registry, "inserted", "entries adopted", Tags.empty(), stats -> stats.storage().inserted());
    count(
        registry,
        "copies",
        "partial blocks copied",
        Tags.empty(),
        stats -> stats.lookups().partialCopies());
    count(
        registry,
        "no.room",
        "commits not kept whole",
        Tags.empty(),
        stats -> stats.storage().noRoom());
    for (CacheStats.Removal cause : CacheStats.Removal.values()) {
      Tags tag = Tags.of("cause", cause.name().toLowerCase(Locale.ROOT));
      count(registry, "removed", "entries removed", tag, stats -> stats.storage().removed(cause));
    }
    for (Lookup.Reason reason : Lookup.Reason.values()) {
      Tags tag = Tags.of("reason", reason.label());
      count(
          registry,
          "lookup.reasons",
          "why lookups did not find more",
          tag,
          stats -> stats.lookups().reasons().getOrDefault(reason, 0L));
    }
    gauge(registry, "entries", "entries kept", null, stats -> stats.storage().entries());
    gauge(registry, "size", "bytes kept", "bytes", stats -> stats.storage().bytes());
    gauge(registry, "size.pinned", "bytes pinned", "bytes", stats -> stats.storage().pinnedBytes());
    gauge(
        registry,
        "size.running",
        "bytes that running requests fill",
        "bytes",
        stats -> stats.storage().runningBytes());
    gauge(registry, "size.peak", "most bytes kept", "bytes", stats -> stats.storage().peakBytes());
    timer(
        registry,
        "lookup.time",
        stats -> stats.lookups().count(),
        stats -> stats.lookups().nanos());
    if (cache.stats().store().isPresent()) {
      bindStore(registry);
    }
  }

  private void bindStore(MeterRegistry registry) {
    count(
        registry,
        "tokens.store",
        "cached tokens that were read from the store for their lookup",
        Tags.empty(),
        stats -> stats.lookups().storeTokens());
    Map<String, ToDoubleFunction<StoreStats>> lookups =
        Map.of(
            "hit", StoreStats::hits,
            "miss", store -> store.asked() - store.hits(),
            "opening", StoreStats::notOpen,
            "slower", StoreStats::slower);
    lookups.forEach(
        (result, value) ->
            count(
                registry,
                "store.lookups",
                "requests for which the store could have had more than memory",
                Tags.of("result", result),
                store(value)));
    Map<String, ToDoubleFunction<StoreStats>> problems =
        Map.of(
            "late", StoreStats::late,
            "damaged", StoreStats::damaged,
            "failed", StoreStats::failed,
            "write_failed", StoreStats::writeFailed,
            "dropped", StoreStats::dropped);
    problems.forEach(
        (problem, value) ->
            count(
                registry,
                "store.problems",
                "answers, values and blocks that came to nothing",
                Tags.of("problem", problem),
                store(value)));
    count(
        registry,
        "store.tokens.asked",
        "tokens that the store was asked for",
        Tags.empty(),
        store(StoreStats::askedTokens));
    count(
        registry,
        "store.tokens.read",
        "tokens that it gave in time",
        Tags.empty(),
        store(StoreStats::hitTokens));
    count(
        registry,
        "store.read.bytes",
        "bytes of blocks that were read",
        Tags.empty(),
        store(StoreStats::readBytes));
    count(
        registry,
        "store.written",
        "blocks that were written",
        Tags.empty(),
        store(StoreStats::written));
    count(
        registry,
        "store.written.bytes",
        "bytes of these",
        Tags.empty(),
        store(StoreStats::writtenBytes));
    timer(registry, "store.read.time", ofStore(StoreStats::asked), ofStore(StoreStats::readNanos));
    timer(
        registry,
        "store.write.time",
        ofStore(StoreStats::written),
        ofStore(StoreStats::writeNanos));
    gauge(
        registry,
        "store.queued",
        "bytes that wait to be written",
        "bytes",
        store(StoreStats::queuedBytes));
    gauge(
        registry,
        "store.read.token",
        "what reading a token takes now",
        "seconds",
        store(stats -> stats.readNanosPerToken() / NANOS));
    gauge(
        registry,
        "store.compute.token",
        "what computing a token takes now",
        "seconds",
        store(stats -> stats.computeNanosPerToken() / NANOS));
  }

  private static ToDoubleFunction<CacheStats> store(ToDoubleFunction<StoreStats> value) {
    return stats -> value.applyAsDouble(stats.store().orElseThrow());
  }

  private static ToLongFunction<CacheStats> ofStore(ToLongFunction<StoreStats> value) {
    return stats -> value.applyAsLong(stats.store().orElseThrow());
  }

  private void timer(
      MeterRegistry registry,
      String meter,
      ToLongFunction<CacheStats> count,
      ToLongFunction<CacheStats> nanos) {
    FunctionTimer.builder(
            "kv.cache." + meter,
            cache,
            c -> count.applyAsLong(c.stats()),
            c -> nanos.applyAsLong(c.stats()),
            TimeUnit.NANOSECONDS)
        .tags("cache", name)
        .register(registry);
  }

  private void count(
      MeterRegistry registry,
      String meter,
      String description,
      Iterable<Tag> tags,
      ToDoubleFunction<CacheStats> value) {
    FunctionCounter.builder("kv.cache." + meter, cache, c -> value.applyAsDouble(c.stats()))
        .description(description)
        .tags("cache", name)
        .tags(tags)
        .register(registry);
  }

  private void gauge(
      MeterRegistry registry,
      String meter,
      String description,
      String unit,
      ToDoubleFunction<CacheStats> value) {
    Gauge.builder("kv.cache." + meter, cache, c -> value.applyAsDouble(c.stats()))
        .description(description)
        .baseUnit(unit)
        .tags("cache", name)
        .register(registry);
  }
}
