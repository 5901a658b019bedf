package kv4j.cache;

import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** Counts lookups, for caches that have no statistics of their own. Thread-safe. */
public final class LookupCounters {
  private final LongAdder lookups = new LongAdder();
  private final LongAdder hits = new LongAdder();
  private final LongAdder promptTokens = new LongAdder();
  private final LongAdder cachedTokens = new LongAdder();

  public void record(Lookup lookup) {
    lookups.increment();
    promptTokens.add(lookup.promptTokens());
    cachedTokens.add(lookup.cachedTokens());
    if (lookup.isHit()) {
      hits.increment();
    }
  }

  /** The counts, with what the caller says it keeps. */
  public CacheStats snapshot(
      long entries, long bytes, long peakBytes, Map<CacheStats.Removal, Long> removed) {
    return new CacheStats(
        lookups.sum(),
        hits.sum(),
        promptTokens.sum(),
        cachedTokens.sum(),
        entries,
        bytes,
        peakBytes,
        removed);
  }
}
