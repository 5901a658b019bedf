package kv4j.cache.index;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import kv4j.cache.CacheEvent;
import kv4j.cache.TreeSnapshot;

/** Builds a tree from a cache's events alone, as somebody who watches it from afar would. */
final class TreeReplay implements Consumer<CacheEvent> {
  /** What events tell of a run; tokens of which nothing is known after a split are counted only. */
  private record Run(
      String namespace, long parent, int start, int tokens, int blocks, long bytes) {}

  private final Map<Long, Run> runs = new HashMap<>();
  private final Map<String, Long> pinned = new HashMap<>();
  private final TreeMap<Long, CacheEvent> waiting = new TreeMap<>();
  private long last;

  @Override
  public synchronized void accept(CacheEvent event) {
    if (event.number() <= last || waiting.put(event.number(), event) != null) {
      throw new AssertionError("the number of " + event + " was given before");
    }
    while (!waiting.isEmpty() && waiting.firstKey() == last + 1) {
      last++;
      apply(waiting.pollFirstEntry().getValue());
    }
  }

  private void apply(CacheEvent event) {
    if (event instanceof CacheEvent.Inserted e) {
      require(e.parent() == 0 || runs.containsKey(e.parent()), e);
      int tokens = e.tokens().length;
      Run run = new Run(e.namespace(), e.parent(), e.start(), tokens, e.entries(), e.bytes());
      require(runs.put(e.run(), run) == null, e);
    } else if (event instanceof CacheEvent.Split e) {
      Run old = runs.get(e.run());
      int moved = e.at() - old.start;
      Run upper = new Run(e.namespace(), old.parent, old.start, moved, e.entries(), e.bytes());
      Run lower =
          new Run(
              e.namespace(),
              e.upper(),
              e.at(),
              old.tokens - moved,
              old.blocks - e.entries(),
              old.bytes - e.bytes());
      require(runs.put(e.upper(), upper) == null && lower.tokens > 0 && moved > 0, e);
      runs.put(e.run(), lower);
    } else if (event instanceof CacheEvent.Removed e) {
      Run old = runs.remove(e.run());
      require(old.start + old.tokens == e.start() + e.tokens(), e);
      if (e.start() > old.start) {
        Run rest =
            new Run(
                old.namespace,
                old.parent,
                old.start,
                e.start() - old.start,
                old.blocks - e.entries(),
                old.bytes - e.bytes());
        runs.put(e.run(), rest);
      } else {
        require(old.blocks == e.entries() && old.bytes == e.bytes(), e);
      }
    } else if (event instanceof CacheEvent.Pinned e) {
      require(runs.containsKey(e.run()) && pinned.put(e.name(), e.run()) == null, e);
    } else if (event instanceof CacheEvent.Unpinned e) {
      require(pinned.remove(e.name(), e.run()), e);
    } else if (event instanceof CacheEvent.Found e) {
      require(e.run() == 0 || runs.containsKey(e.run()), e);
    }
  }

  private static void require(boolean condition, CacheEvent event) {
    if (!condition) {
      throw new AssertionError(event + " does not fit what came before");
    }
  }

  /** Fails unless the events so far led to just this tree. */
  synchronized void check(TreeSnapshot tree) {
    Map<Long, Run> expected = new HashMap<>();
    long bytes = 0;
    for (TreeSnapshot.Run run : tree.runs()) {
      Run known =
          new Run(
              run.namespace(),
              run.parent(),
              run.start(),
              run.tokens().length,
              run.entries(),
              run.bytes());
      expected.put(run.id(), known);
      bytes += run.bytes();
    }
    if (tree.number() != last
        || !expected.equals(runs)
        || !tree.pinned().equals(pinned)
        || bytes != tree.storage().bytes()) {
      throw new AssertionError(
          "the tree is %s with %s at %d, events say %s with %s"
              .formatted(expected, tree.pinned(), tree.number(), runs, pinned));
    }
  }
}
