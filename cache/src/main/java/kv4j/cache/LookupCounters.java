package kv4j.cache;

import java.util.EnumMap;
import java.util.Map;

/** Counts a cache's lookups. Thread-safe: every snapshot is of one moment. */
public final class LookupCounters {
  private long count;
  private long hits;
  private long promptTokens;
  private long cachedTokens;
  private long storeTokens;
  private final Map<Lookup.Reason, Long> reasons = new EnumMap<>(Lookup.Reason.class);
  private long partialCopies;
  private long nanos;

  public void record(Lookup lookup) {
    record(lookup, false, 0);
  }

  /**
   * @param copied whether the cached part of a partly matching block was copied
   * @param nanos that the lookup took
   */
  public synchronized void record(Lookup lookup, boolean copied, long nanos) {
    count++;
    hits += lookup.isHit() ? 1 : 0;
    promptTokens += lookup.promptTokens();
    cachedTokens += lookup.cachedTokens();
    storeTokens += lookup.storeTokens();
    reasons.merge(lookup.reason(), 1L, Long::sum);
    partialCopies += copied ? 1 : 0;
    this.nanos += nanos;
  }

  public synchronized CacheStats.Lookups snapshot() {
    return new CacheStats.Lookups(
        count, hits, promptTokens, cachedTokens, storeTokens, reasons, partialCopies, nanos);
  }
}
