package kv4j.cache;

import java.util.Map;

/**
 * An immutable snapshot of a cache's counters since it was made. Counters of lookups move when
 * {@link KvCache#open} returns; those of entries and bytes when an entry is adopted by {@link
 * KvSequence#commit} or let go, by whichever call.
 *
 * @param lookups requests opened
 * @param hits lookups that found at least one cached token
 * @param promptTokens prompt tokens of all lookups
 * @param cachedTokens prompt tokens that lookups found cached
 * @param entries what is kept now, in the cache's own unit (blocks, or prefix-and-layer pairs)
 * @param bytes bytes kept now; what a running sequence has computed counts from its commit on
 * @param peakBytes most bytes kept at any time
 * @param removed entries removed so far, by cause
 * @param reasons lookups so far by why they did not find more
 * @param inserted entries adopted so far; {@code inserted} minus all {@code removed} is {@code
 *     entries}
 * @param pinnedBytes bytes kept now that may not be evicted, each counted once: those that open
 *     sequences were given (until their commit or close) and those pinned by name
 * @param partialCopies lookups that copied the cached part of a partly matching block
 * @param noRoom commits that could not keep all that was computed, nothing evictable being left
 * @param lookupNanos time spent in finding prefixes, copies of partial blocks included
 * @param insertNanos time spent in adopting what was computed, evictions for it included
 */
public record CacheStats(
    long lookups,
    long hits,
    long promptTokens,
    long cachedTokens,
    long entries,
    long bytes,
    long peakBytes,
    Map<Removal, Long> removed,
    Map<Lookup.Reason, Long> reasons,
    long inserted,
    long pinnedBytes,
    long partialCopies,
    long noRoom,
    long lookupNanos,
    long insertNanos) {
  /** Why an entry left the cache. */
  public enum Removal {
    /** Made room for others. */
    SIZE,
    /** Outlived the time-to-live. */
    EXPIRED,
    /** Cleared, replaced or removed by the user. */
    EXPLICIT,
    /** Another entry holds the same tokens and more. */
    SUPERSEDED
  }

  public CacheStats {
    removed = Map.copyOf(removed);
    reasons = Map.copyOf(reasons);
  }

  /** A snapshot of a cache that counts no more than this. */
  public CacheStats(
      long lookups,
      long hits,
      long promptTokens,
      long cachedTokens,
      long entries,
      long bytes,
      long peakBytes,
      Map<Removal, Long> removed) {
    this(
        lookups,
        hits,
        promptTokens,
        cachedTokens,
        entries,
        bytes,
        peakBytes,
        removed,
        Map.of(),
        0,
        0,
        0,
        0,
        0,
        0);
  }

  /** Cached prompt tokens ÷ prompt tokens, from 0 to 1; 0 before the first lookup. */
  public double tokenHitRate() {
    return promptTokens == 0 ? 0 : (double) cachedTokens / promptTokens;
  }

  /** Requests with at least one cached token ÷ requests, from 0 to 1. */
  public double requestHitRate() {
    return lookups == 0 ? 0 : (double) hits / lookups;
  }

  /** Entries removed so far for one cause. */
  public long removed(Removal cause) {
    return removed.getOrDefault(cause, 0L);
  }
}
