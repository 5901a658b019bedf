package kv4j.cache;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** Counts lookups, for caches that have no statistics of their own. Thread-safe. */
public final class LookupCounters {
  private final LongAdder lookups = new LongAdder();
  private final LongAdder hits = new LongAdder();
  private final LongAdder promptTokens = new LongAdder();
  private final LongAdder cachedTokens = new LongAdder();
  private final Map<Lookup.Reason, LongAdder> reasons = new EnumMap<>(Lookup.Reason.class);

  public LookupCounters() {
    for (Lookup.Reason reason : Lookup.Reason.values()) {
      reasons.put(reason, new LongAdder());
    }
  }

  public void record(Lookup lookup) {
    lookups.increment();
    promptTokens.add(lookup.promptTokens());
    cachedTokens.add(lookup.cachedTokens());
    reasons.get(lookup.reason()).increment();
    if (lookup.isHit()) {
      hits.increment();
    }
  }

  /** The counts, with what the caller says it keeps. */
  public CacheStats snapshot(
      long entries, long bytes, long peakBytes, Map<CacheStats.Removal, Long> removed) {
    Map<Lookup.Reason, Long> counts = new EnumMap<>(Lookup.Reason.class);
    reasons.forEach(
        (reason, count) -> {
          if (count.sum() > 0) {
            counts.put(reason, count.sum());
          }
        });
    return new CacheStats(
        lookups.sum(),
        hits.sum(),
        promptTokens.sum(),
        cachedTokens.sum(),
        entries,
        bytes,
        peakBytes,
        removed,
        counts,
        0,
        0,
        0,
        0,
        0,
        0);
  }
}
