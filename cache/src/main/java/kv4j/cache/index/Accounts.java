package kv4j.cache.index;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats;
import kv4j.cache.CacheStats.Removal;

/** What came, what went and what is there: counted, and told as events. */
final class Accounts {
  final Map<Removal, Long> removed = new EnumMap<>(Removal.class);
  long inserted;
  long entries;
  long bytes;
  long peakBytes;
  private List<CacheEvent> events = new ArrayList<>();

  void insert(Node<?> node) {
    int count = node.blocks.size();
    inserted += count;
    entries += count;
    bytes += node.bytes;
    peakBytes = Math.max(peakBytes, bytes);
    String namespace = node.space.namespace();
    events.add(new CacheEvent.Inserted(namespace, node.start, node.tokens, count, node.bytes));
  }

  /** Takes {@code count} blocks and all tokens from {@code from} on off the books of a node. */
  void remove(Node<?> node, int from, int count, long weight, Removal cause) {
    entries -= count;
    bytes -= weight;
    node.bytes -= weight;
    removed.merge(cause, (long) count, Long::sum);
    String namespace = node.space.namespace();
    int tokens = node.end() - from;
    events.add(new CacheEvent.Removed(namespace, from, tokens, count, weight, cause));
  }

  /** What happened since the last call. */
  List<CacheEvent> takeEvents() {
    if (events.isEmpty()) {
      return List.of(); // not the live list: the caller reads what it gets without the lock
    }
    List<CacheEvent> taken = events;
    events = new ArrayList<>();
    return taken;
  }

  /** Everything but what concerns lookups. */
  CacheStats snapshot(long pinnedBytes) {
    return new CacheStats(
        0,
        0,
        0,
        0,
        entries,
        bytes,
        peakBytes,
        removed,
        Map.of(),
        inserted,
        pinnedBytes,
        0,
        0,
        0,
        0);
  }
}
