package kv4j.cache;

import java.util.Map;

/**
 * An immutable snapshot of a cache's counters since it was made.
 *
 * @param lookups requests opened
 * @param hits lookups that found at least one cached token
 * @param promptTokens prompt tokens of all lookups
 * @param cachedTokens prompt tokens that lookups found cached
 * @param entries what is kept now, in the cache's own unit (blocks, or prefix-and-layer pairs)
 * @param bytes bytes kept now
 * @param peakBytes most bytes kept at any time
 * @param removed entries removed so far, by cause
 */
public record CacheStats(
    long lookups,
    long hits,
    long promptTokens,
    long cachedTokens,
    long entries,
    long bytes,
    long peakBytes,
    Map<Removal, Long> removed) {
  /** Why an entry left the cache. */
  public enum Removal {
    /** Made room for others. */
    SIZE,
    /** Outlived the time-to-live. */
    EXPIRED,
    /** Cleared, replaced or removed by the user. */
    EXPLICIT
  }

  public CacheStats {
    removed = Map.copyOf(removed);
  }

  /** Cached prompt tokens ÷ prompt tokens, from 0 to 1; 0 before the first lookup. */
  public double tokenHitRate() {
    return promptTokens == 0 ? 0 : (double) cachedTokens / promptTokens;
  }

  /** Requests with at least one cached token ÷ requests, from 0 to 1. */
  public double requestHitRate() {
    return lookups == 0 ? 0 : (double) hits / lookups;
  }
}
