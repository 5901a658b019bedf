package kv4j.cache.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import kv4j.cache.EvictionPolicy;

/**
 * What {@link PrefixIndex} must answer, worked out from a plain list of stored blocks, each with
 * the whole prefix that it ends: no tree, no splits, no order but a search of the list each time.
 */
final class PlainModel {
  /** A stored block: the last tokens of a prefix. */
  static final class Entry {
    final Keyspace space;
    final int[] prefix;
    final int index;
    final long inserted;
    long used;
    long hits;
    long time;
    int pins;

    Entry(Keyspace space, int[] prefix, int index, long operation, long now) {
      this.space = space;
      this.prefix = prefix;
      this.index = index;
      inserted = operation;
      used = operation;
      time = now;
    }
  }

  private final int size;
  private final long budget;
  private final EvictionPolicy policy;
  private final long ttl;
  private final boolean refresh;
  long reserved;
  final List<Entry> entries = new ArrayList<>();
  private long operation;
  private long now;

  PlainModel(int size, long budget, EvictionPolicy policy, long ttl, boolean refresh) {
    this.size = size;
    this.budget = budget;
    this.policy = policy;
    this.ttl = ttl;
    this.refresh = refresh;
  }

  void begin(long nanos) {
    now = nanos;
    operation++;
    entries.removeIf(e -> ttl > 0 && e.pins == 0 && now - e.time >= ttl);
    removeOrphans();
  }

  private void removeOrphans() {
    while (entries.removeIf(e -> e.index > 0 && entries.stream().noneMatch(p -> isBefore(p, e)))) {}
  }

  /** Whether {@code b} builds directly on {@code a}. */
  private boolean isBefore(Entry a, Entry b) {
    return a.space.equals(b.space)
        && a.index + 1 == b.index
        && a.prefix.length == b.index * size
        && startsWith(b.prefix, a.prefix, a.prefix.length);
  }

  static boolean startsWith(int[] tokens, int[] prefix, int length) {
    return tokens.length >= length && Arrays.equals(tokens, 0, length, prefix, 0, length);
  }

  /** Leading tokens, of the first {@code limit}, that some stored prefix begins with. */
  int cached(Keyspace space, int[] tokens, int limit) {
    int best = 0;
    for (Entry e : entries) {
      if (e.space.equals(space)) {
        int same = Arrays.mismatch(tokens, 0, limit, e.prefix, 0, Math.min(limit, e.prefix.length));
        best = Math.max(best, same < 0 ? limit : Math.min(same, e.prefix.length));
      }
    }
    return best;
  }

  /** The entries of the whole blocks within {@code length} tokens. */
  List<Entry> whole(Keyspace space, int[] tokens, int length) {
    return entries.stream()
        .filter(e -> e.space.equals(space) && e.prefix.length == (e.index + 1) * size)
        .filter(e -> e.prefix.length <= length && startsWith(tokens, e.prefix, e.prefix.length))
        .toList();
  }

  void touch(Entry e, boolean hit) {
    e.used = operation;
    e.hits += hit ? 1 : 0;
    e.time = refresh ? now : e.time;
  }

  /** Expected tokens stored afterwards. */
  int commit(Keyspace space, int[] tokens, int length) {
    int cached = cached(space, tokens, length);
    List<Entry> path = whole(space, tokens, cached);
    path.forEach(e -> touch(e, false));
    int first = cached / size;
    if (cached == length) {
      List<Entry> owners =
          entries.stream()
              .filter(e -> e.space.equals(space) && e.index == first)
              .filter(e -> startsWith(e.prefix, tokens, length))
              .toList();
      if (length % size != 0 && owners.size() == 1) {
        touch(owners.get(0), false);
      }
      return length;
    }
    path.forEach(e -> e.pins++);
    entries.removeIf(
        e ->
            e.space.equals(space)
                && e.index == first
                && startsWith(tokens, e.prefix, e.prefix.length)
                && e.prefix.length == cached);
    int last = (length + size - 1) / size;
    long need = 0;
    for (int i = first; i < last; i++) {
      need += TestBlock.weightOf(i);
    }
    makeRoom(need);
    int stored = first * size;
    for (int i = first; i < last && TestBlock.weightOf(i) <= room(); i++) {
      stored = Math.min(length, (i + 1) * size);
      entries.add(new Entry(space, Arrays.copyOf(tokens, stored), i, operation, now));
    }
    path.forEach(e -> e.pins--);
    return stored;
  }

  private void makeRoom(long need) {
    while (room() < need) {
      Entry victim =
          entries.stream()
              .filter(e -> e.pins == 0 && entries.stream().noneMatch(other -> isBefore(e, other)))
              .min(
                  Comparator.<Entry>comparingLong(e -> policy.rank(e.inserted, e.used, e.hits))
                      .thenComparingLong(e -> e.used))
              .orElse(null);
      if (victim == null) {
        break;
      }
      entries.remove(victim);
    }
  }

  /** Sets bytes aside for a running sequence; false if there is no room for all of them. */
  boolean reserve(long more) {
    makeRoom(more);
    boolean fits = more <= room();
    reserved += fits ? more : 0;
    return fits;
  }

  /** Whether there is so much room without all that may be evicted. */
  boolean mayFit(long more) {
    long pinned =
        entries.stream().filter(e -> e.pins > 0).mapToLong(e -> TestBlock.weightOf(e.index)).sum();
    return budget - pinned - reserved >= more;
  }

  long room() {
    return budget - bytes() - reserved;
  }

  long bytes() {
    return entries.stream().mapToLong(e -> TestBlock.weightOf(e.index)).sum();
  }
}
