package kv4j.cache;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Ranks the entries that may be evicted. A cache asks again whenever an entry has been used;
 * entries that are in use, or that others continue, are never evicted.
 */
@FunctionalInterface
public interface EvictionPolicy {
  /**
   * The entry of the smallest rank goes first; among equals, the one used longest ago.
   *
   * @param inserted when it was inserted, counted in cache operations
   * @param used when it was last looked up or computed again, counted in cache operations
   * @param hits how many lookups have found it
   */
  long rank(long inserted, long used, long hits);

  /** The policies that can be picked by name. */
  enum Standard implements EvictionPolicy {
    /** Least recently used first. */
    LRU {
      @Override
      public long rank(long inserted, long used, long hits) {
        return used;
      }
    },
    /** Least frequently found first. */
    LFU {
      @Override
      public long rank(long inserted, long used, long hits) {
        return hits;
      }
    },
    /** First in, first out. */
    FIFO {
      @Override
      public long rank(long inserted, long used, long hits) {
        return inserted;
      }
    }
  }

  /**
   * The standard policy of a name, in any case.
   *
   * @throws IllegalArgumentException if there is none
   */
  static EvictionPolicy named(String name) {
    return Arrays.stream(Standard.values())
        .filter(policy -> policy.name().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no eviction policy named "
                        + name
                        + "; there are "
                        + Arrays.stream(Standard.values())
                            .map(policy -> policy.name().toLowerCase(Locale.ROOT))
                            .collect(Collectors.joining(", "))));
  }
}
