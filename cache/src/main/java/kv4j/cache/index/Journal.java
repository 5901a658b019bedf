package kv4j.cache.index;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.Lookup;
import kv4j.cache.LookupCounters;

/**
 * Counts lookups, insertions, removals and what is stored, and collects the events that tell of
 * them. The index's lock guards it.
 */
final class Journal {
  final LookupCounters lookups = new LookupCounters();
  final Map<Removal, Long> removed = new EnumMap<>(Removal.class);
  long inserted;
  long entries;
  long bytes;
  long peakBytes;
  long noRoom;
  long insertNanos;
  long lastEvent;
  private List<CacheEvent> events = new ArrayList<>();

  /** Counts a lookup that found whole blocks up to the end of {@code node}, or of a root. */
  void find(Node<?> node, String label, Lookup lookup, boolean copied, long nanos) {
    lookups.record(lookup, copied, nanos);
    events.add(new CacheEvent.Found(++lastEvent, node.space.namespace(), node.id, lookup, label));
  }

  void insert(Node<?> node) {
    int count = node.blocks.size();
    inserted += count;
    entries += count;
    bytes += node.bytes;
    peakBytes = Math.max(peakBytes, bytes);
    events.add(
        new CacheEvent.Inserted(
            ++lastEvent,
            node.space.namespace(),
            node.space.isSalted(),
            node.id,
            node.parent.id,
            node.start,
            node.tokens,
            count,
            node.bytes,
            node.label));
  }

  /** Tells that {@code upper} is made of the beginning of {@code node}. */
  void split(Node<?> node, Node<?> upper) {
    events.add(
        new CacheEvent.Split(
            ++lastEvent,
            node.space.namespace(),
            node.id,
            upper.id,
            node.start,
            upper.blocks.size(),
            upper.bytes));
  }

  /** Takes {@code count} blocks and all tokens from {@code from} on off the books of a node. */
  void remove(Node<?> node, int from, int count, long weight, Removal cause) {
    entries -= count;
    bytes -= weight;
    node.bytes -= weight;
    if (count > 0) {
      removed.merge(cause, (long) count, Long::sum);
    }
    int tokens = node.end() - from;
    String namespace = node.space.namespace();
    events.add(
        new CacheEvent.Removed(
            ++lastEvent, namespace, node.id, from, tokens, count, weight, cause));
  }

  void pin(Node<?> node, String name) {
    events.add(new CacheEvent.Pinned(++lastEvent, node.space.namespace(), node.id, name));
  }

  void unpin(Node<?> node, String name) {
    events.add(new CacheEvent.Unpinned(++lastEvent, node.space.namespace(), node.id, name));
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

  CacheStats.Storage storage(long pinnedBytes, long runningBytes) {
    return new CacheStats.Storage(
        entries,
        bytes,
        peakBytes,
        pinnedBytes,
        runningBytes,
        inserted,
        removed,
        noRoom,
        insertNanos);
  }
}
