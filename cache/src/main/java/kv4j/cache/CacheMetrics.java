package kv4j.cache;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * Publishes a cache's {@link CacheStats} through Micrometer, which the caller must have on its
 * class path: {@code new CacheMetrics(cache, "agents").bindTo(registry)}. Meters are called {@code
 * kv.cache.*} and are read when the registry is, so that requests pay nothing for them.
 *
 * @param cache the cache; not kept alive by the meters
 * @param name the value of the tag {@code cache}
 */
public record CacheMetrics(KvCache cache, String name) implements MeterBinder {
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
    FunctionTimer.builder(
            "kv.cache.lookup.time",
            cache,
            c -> c.stats().lookups().count(),
            c -> c.stats().lookups().nanos(),
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
