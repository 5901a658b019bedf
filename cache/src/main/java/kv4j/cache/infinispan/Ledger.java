package kv4j.cache.infinispan;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/** What a file store holds, and what it would miss least. Safe for use by many threads. */
final class Ledger {
  /**
   * A value.
   *
   * @param key as Infinispan has it
   * @param segment of the key
   * @param bytes that it takes in its file
   */
  record Holding(Object key, int segment, long bytes) {}

  /** In order of last use. */
  private final Map<Object, Holding> holdings = new LinkedHashMap<>(64, 0.75f, true);

  private long bytes;

  /** Enters a value as the one used last, in place of what its key had before. */
  synchronized void add(Holding holding) {
    Holding before = holdings.put(holding.key(), holding);
    bytes += holding.bytes() - (before == null ? 0 : before.bytes());
  }

  /** Notes that a value is used. */
  synchronized void touch(Object key) {
    holdings.get(key);
  }

  synchronized void remove(Object key) {
    Holding holding = holdings.remove(key);
    bytes -= holding == null ? 0 : holding.bytes();
  }

  /** Removes all values of the segments that a condition picks. */
  synchronized void removeSegments(IntPredicate which) {
    take(Long.MIN_VALUE, which);
  }

  /** Removes the values that have not been used for longest, until so many bytes are left. */
  synchronized List<Holding> takeOldest(long bytesLeft) {
    return take(bytesLeft, segment -> true);
  }

  private List<Holding> take(long bytesLeft, IntPredicate which) {
    List<Holding> taken = new ArrayList<>();
    Iterator<Holding> oldest = holdings.values().iterator();
    while (bytes > bytesLeft && oldest.hasNext()) {
      Holding holding = oldest.next();
      if (which.test(holding.segment())) {
        oldest.remove();
        bytes -= holding.bytes();
        taken.add(holding);
      }
    }
    return taken;
  }

  /** How many values. */
  synchronized int size() {
    return holdings.size();
  }

  /** Bytes of all values. */
  synchronized long bytes() {
    return bytes;
  }

  /** The keys of all values, those used longest ago first. */
  synchronized List<Object> keys() {
    return List.copyOf(holdings.keySet());
  }
}
