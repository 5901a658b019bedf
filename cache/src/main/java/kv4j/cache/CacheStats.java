package kv4j.cache;

import java.util.Map;
import java.util.Optional;
import kv4j.cache.store.StoreStats;

/**
 * An immutable snapshot of a cache's counters since it was made. All counters are of one moment: a
 * snapshot never counts a lookup without the entries that it found, nor an entry that a later
 * commit added.
 *
 * @param lookups what was asked; moves when {@link KvCache#open} returns
 * @param storage what is and was kept; moves when an entry is adopted by a commit or let go, by
 *     whichever call
 * @param store what was asked of a store behind the cache and put there; empty if there is none
 */
public record CacheStats(Lookups lookups, Storage storage, Optional<StoreStats> store) {
  /** Counts of a cache without a store. */
  public CacheStats(Lookups lookups, Storage storage) {
    this(lookups, storage, Optional.empty());
  }

  /**
   * What was asked of a cache.
   *
   * @param count requests opened
   * @param hits lookups that found at least one cached token
   * @param promptTokens prompt tokens of all lookups
   * @param cachedTokens prompt tokens that lookups found cached
   * @param storeTokens of the cached tokens, those that were read from a store for their lookup
   * @param reasons lookups by why they did not find more
   * @param partialCopies lookups that copied the cached part of a partly matching block
   * @param nanos time spent in finding prefixes, copies of partial blocks included
   */
  public record Lookups(
      long count,
      long hits,
      long promptTokens,
      long cachedTokens,
      long storeTokens,
      Map<Lookup.Reason, Long> reasons,
      long partialCopies,
      long nanos) {
    public Lookups {
      reasons = Map.copyOf(reasons);
    }

    /** Cached prompt tokens ÷ prompt tokens, from 0 to 1; 0 before the first lookup. */
    public double tokenHitRate() {
      return promptTokens == 0 ? 0 : (double) cachedTokens / promptTokens;
    }

    /** Requests with at least one cached token ÷ requests, from 0 to 1. */
    public double requestHitRate() {
      return count == 0 ? 0 : (double) hits / count;
    }
  }

  /**
   * What a cache keeps between requests, and what running sequences fill. Both together stay within
   * the cache's limit, unless what runs alone exceeds it.
   *
   * @param entries what is kept now, in the cache's own unit (blocks, or prefix-and-layer pairs)
   * @param bytes of these
   * @param peakBytes most bytes kept at any time
   * @param pinnedBytes bytes kept now that may not be evicted, each counted once: those that open
   *     sequences hold and those pinned by name
   * @param runningBytes bytes within the limit that open sequences have for blocks of their own;
   *     from their commit on these count as kept
   * @param inserted entries adopted so far; {@code inserted} minus all {@code removed} is {@code
   *     entries}
   * @param removed entries removed so far, by cause
   * @param noRoom commits that could not keep all that was computed, nothing evictable being left
   * @param insertNanos time spent in adopting what was computed, evictions for it included
   */
  public record Storage(
      long entries,
      long bytes,
      long peakBytes,
      long pinnedBytes,
      long runningBytes,
      long inserted,
      Map<Removal, Long> removed,
      long noRoom,
      long insertNanos) {
    /** Of a cache that keeps nothing between requests. */
    public static final Storage NONE = new Storage(0, 0, 0, 0, 0, 0, Map.of(), 0, 0);

    public Storage {
      removed = Map.copyOf(removed);
    }

    /** Entries removed so far for one cause. */
    public long removed(Removal cause) {
      return removed.getOrDefault(cause, 0L);
    }
  }

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
}
