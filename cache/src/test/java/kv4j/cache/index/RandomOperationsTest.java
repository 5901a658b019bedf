package kv4j.cache.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.EvictionPolicy;
import kv4j.cache.Lookup;
import org.junit.jupiter.api.Test;

/** Random operations on the index give what the plain model says, and leave it in order. */
class RandomOperationsTest {
  private static final int RUNS = 1_000;
  private static final int OPERATIONS = 200;

  @Test
  void everyLookupFindsExactlyWhatThePlainModelHolds() {
    long evicted = 0;
    long expired = 0;
    long hits = 0;
    for (int seed = 0; seed < RUNS; seed++) {
      Run run = new Run(seed);
      int step = 0;
      try {
        for (; step < OPERATIONS; step++) {
          run.step();
        }
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + ", operation " + step + ": " + e, e);
      }
      evicted += run.removed(Removal.SIZE);
      expired += run.removed(Removal.EXPIRED);
      hits += run.hits;
    }
    // The runs did exercise what they are for.
    assertTrue(evicted > RUNS && expired > RUNS && hits > 10 * RUNS, evicted + " " + expired);
  }

  private record Open(
      PrefixIndex.Match<TestBlock> match,
      Keyspace space,
      int[] prompt,
      List<PlainModel.Entry> pinned,
      long reserved) {}

  /** One index and its model. */
  private static final class Run {
    private final Random random;
    private final int size;
    private final long ttl;
    private final PrefixIndex<TestBlock> index;
    private final PlainModel model;
    private final TreeReplay replay = new TreeReplay();
    private final List<Open> open = new ArrayList<>();
    private final Map<String, List<PlainModel.Entry>> named = new HashMap<>();
    private final List<int[]> seen = new ArrayList<>();
    private long clock;
    private long hits;

    Run(int seed) {
      random = new Random(seed);
      size = new int[] {1, 2, 3, 4, 7}[random.nextInt(5)];
      ttl = random.nextBoolean() ? 0 : 20 + random.nextInt(60);
      boolean refresh = random.nextBoolean();
      long budget = 4 + random.nextInt(60);
      EvictionPolicy policy = EvictionPolicy.Standard.values()[random.nextInt(3)];
      index =
          new PrefixIndex<>(
              new Limits(size, budget, policy, ttl, refresh),
              block -> block.weight,
              () -> clock,
              replay);
      model = new PlainModel(size, budget, policy, ttl, refresh);
      seen.add(new int[] {0});
    }

    long removed(Removal cause) {
      return index.stats().storage().removed(cause);
    }

    void step() {
      clock += random.nextInt(4);
      model.begin(clock);
      int kind = random.nextInt(100);
      if (kind < 45 || open.isEmpty()) {
        if (open.size() < 4) {
          match();
        }
      } else if (kind < 75) {
        commit(false);
      } else if (kind < 79) {
        commit(true);
      } else if (kind < 83) {
        commitPrefix();
      } else if (kind < 85) {
        reserve();
      } else if (kind < 87) {
        Open closed = open.remove(random.nextInt(open.size()));
        closed.match().lease().close();
        closed.match().lease().close(); // harmless
        closed.pinned().forEach(e -> e.pins--);
        model.reserved -= closed.reserved();
      } else if (kind < 91) {
        pin();
      } else if (kind < 95) {
        unpin();
      } else if (kind < 97) {
        clock += ttl / 2;
        model.begin(clock);
        index.removeExpired();
        assertEquals(model.entries.size(), index.stats().storage().entries());
      } else if (kind < 99) {
        clear();
      }
      index.checkIntegrity();
      replay.check(index.snapshot());
      if (ttl == 0) {
        assertEquals(model.bytes(), index.stats().storage().bytes());
      }
    }

    private void match() {
      Keyspace space = space();
      int[] prompt = prompt();
      int expected = model.cached(space, prompt, prompt.length - 1);
      assertEquals(expected, index.cachedTokens(space, prompt), "cached tokens, not counted");
      List<PlainModel.Entry> path = model.whole(space, prompt, expected / size * size);
      path.forEach(e -> model.touch(e, true));
      path.forEach(e -> e.pins++);
      PrefixIndex.Match<TestBlock> match = index.match(space, prompt);
      assertEquals(expected, match.lookup().cachedTokens(), "cached tokens");
      TestBlock.checkContent(match, prompt, size);
      open.add(new Open(match, space, prompt, path, 0));
      index.record(match, 1);
      hits += expected > 0 ? 1 : 0;
    }

    /** A request has computed some more of its prompt, shares that and goes on. */
    private void commitPrefix() {
      int which = random.nextInt(open.size());
      Open running = open.get(which);
      int[] tokens = running.prompt();
      int cached = running.match().lookup().cachedTokens();
      int length = cached + random.nextInt(tokens.length - cached + 1);
      List<TestBlock> blocks = TestBlock.compute(running.match(), tokens, length, size);
      model.reserved -= running.reserved();
      int stored = model.commit(running.space(), tokens, length / size * size);
      long own = 0;
      for (int i = stored / size; i < blocks.size(); i++) {
        own += TestBlock.weightOf(i);
      }
      long reserved = Math.min(running.reserved(), Math.min(own, model.room()));
      model.reserved += reserved;
      List<PlainModel.Entry> path = model.whole(running.space(), tokens, stored);
      path.forEach(e -> e.pins++);
      running.pinned().forEach(e -> e.pins--);
      List<TestBlock> held = index.commitPrefix(running.match().lease(), tokens, length, blocks);
      assertEquals(stored, held.size() * size, "held");
      Lookup lookup = new Lookup(tokens.length, stored, Lookup.Reason.COLD, "");
      PrefixIndex.Match<TestBlock> goesOn =
          new PrefixIndex.Match<>(lookup, running.match().lease(), held, null);
      TestBlock.checkContent(goesOn, tokens, size);
      open.set(which, new Open(goesOn, running.space(), tokens, path, reserved));
    }

    private void reserve() {
      int which = random.nextInt(open.size());
      Open running = open.get(which);
      long bytes = random.nextInt(20);
      long more = Math.max(0, bytes - running.reserved());
      boolean leave = random.nextBoolean();
      boolean fits = more == 0 || (!leave || model.mayFit(more)) && model.reserve(more);
      var lease = running.match().lease();
      assertEquals(fits, leave ? index.reserveOrLeave(lease, bytes) : index.reserve(lease, bytes));
      long reserved = running.reserved() + (fits ? more : 0);
      open.set(
          which,
          new Open(running.match(), running.space(), running.prompt(), running.pinned(), reserved));
      assertEquals(model.reserved, index.stats().storage().runningBytes());
    }

    /** Commits a request that ran to its end and generated something, or was aborted on its way. */
    private void commit(boolean aborted) {
      Open done = open.remove(random.nextInt(open.size()));
      int cached = done.match().lookup().cachedTokens();
      int[] tokens = done.prompt();
      int length = tokens.length;
      if (aborted) {
        length = cached + random.nextInt(length - cached + 1);
      } else {
        tokens = Arrays.copyOf(tokens, length + random.nextInt(5));
        for (; length < tokens.length; length++) {
          tokens[length] = random.nextInt(2);
        }
      }
      List<TestBlock> blocks = TestBlock.compute(done.match(), tokens, length, size);
      model.reserved -= done.reserved();
      int expected = model.commit(done.space(), tokens, length);
      assertEquals(expected, index.commit(done.match().lease(), tokens, length, blocks), "stored");
      done.pinned().forEach(e -> e.pins--);
      seen.add(tokens);
    }

    private void pin() {
      Keyspace space = space();
      int[] prompt = prompt();
      String name = "pin " + random.nextInt(3);
      if (named.containsKey(name)) {
        assertThrows(IllegalArgumentException.class, () -> index.pin(name, space, prompt));
        return;
      }
      int whole = model.cached(space, prompt, prompt.length) / size * size;
      List<PlainModel.Entry> path = model.whole(space, prompt, whole);
      path.forEach(e -> model.touch(e, false));
      path.forEach(e -> e.pins++);
      assertEquals(whole, index.pin(name, space, prompt), "pinned");
      if (whole > 0) {
        named.put(name, path);
      }
    }

    private void unpin() {
      String name = "pin " + random.nextInt(3);
      List<PlainModel.Entry> path = named.remove(name);
      assertEquals(path != null, index.unpin(name));
      if (path != null) {
        path.forEach(e -> e.pins--);
      }
    }

    private void clear() {
      boolean expected = open.isEmpty();
      assertEquals(expected, index.clear(Duration.ZERO));
      if (expected) {
        model.entries.clear();
        named.clear();
      }
    }

    private Keyspace space() {
      return new Keyspace(random.nextInt(8) == 0 ? "other" : "", "model", "");
    }

    /** The beginning of something seen before, and a few tokens of few kinds. */
    private int[] prompt() {
      int[] old = seen.get(random.nextInt(seen.size()));
      int kept = Math.min(random.nextInt(old.length + 1), 40);
      int[] prompt = Arrays.copyOf(old, kept + 1 + random.nextInt(6));
      for (int i = kept; i < prompt.length; i++) {
        prompt[i] = random.nextInt(3);
      }
      return prompt;
    }
  }
}
