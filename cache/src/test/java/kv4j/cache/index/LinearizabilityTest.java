package kv4j.cache.index;

import static kv4j.cache.index.Fixture.HERE;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kv4j.cache.EvictionPolicy.Standard;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/**
 * What threads get of an index that all of them use is what the plain model gives for the same
 * operations one after another, in some order that fits what each thread saw: cached and stored
 * tokens, pins, evictions and all.
 */
@Order(1) // before others load classes by the thousand, through all of which Lincheck looks
class LinearizabilityTest {
  private static final int SIZE = 2;
  private static final long BUDGET = 9; // four blocks or less
  private static final int[][] PROMPTS = {
    {1, 1, 1, 1, 1}, {1, 1, 1, 2, 2, 2}, {1, 1, 3}, {4, 4, 4, 4}
  };

  /** The operations, each of which is one of the index's; a thread has one request at a time. */
  interface Operations {
    /** Cached tokens; -1 if the thread's last request is not over. */
    int match(int prompt, int thread);

    /** Tokens stored of what the thread's request asked for; -1 if there is none. */
    int commit(int thread);

    boolean abort(int thread);

    /** Tokens pinned; -1 if something is. */
    int pin(int prompt);

    boolean unpin();

    boolean clear();

    /** Bytes kept. */
    long bytes();
  }

  /** The index itself; public as are its operations because they are called by reflection. */
  @Param(name = "prompt", gen = IntGen.class, conf = "0:3")
  public static class Concurrent implements Operations {
    private record Open(PrefixIndex.Match<TestBlock> match, int[] prompt) {}

    private final PrefixIndex<TestBlock> index =
        new PrefixIndex<>(
            new Limits(SIZE, BUDGET, Standard.LRU, 0, true),
            block -> block.weight,
            () -> 0,
            event -> {});
    private final Open[] open = new Open[4]; // by thread: two, and the ones before and after

    @Override
    @Operation
    public int match(
        @Param(name = "prompt") int prompt, @Param(gen = ThreadIdGen.class) int thread) {
      if (open[thread] != null) {
        return -1;
      }
      open[thread] = new Open(index.match(HERE, PROMPTS[prompt]), PROMPTS[prompt]);
      return open[thread].match.lookup().cachedTokens();
    }

    @Override
    @Operation
    public int commit(@Param(gen = ThreadIdGen.class) int thread) {
      Open done = take(thread);
      if (done == null) {
        return -1;
      }
      int length = done.prompt.length;
      List<TestBlock> blocks = TestBlock.compute(done.match, done.prompt, length, SIZE);
      return index.commit(done.match.lease(), done.prompt, length, blocks);
    }

    @Override
    @Operation
    public boolean abort(@Param(gen = ThreadIdGen.class) int thread) {
      Open done = take(thread);
      if (done != null) {
        done.match.lease().close();
      }
      return done != null;
    }

    void release(int thread) {
      open[thread].match.lease().close();
    }

    private Open take(int thread) {
      Open taken = open[thread];
      open[thread] = null;
      if (taken != null) {
        TestBlock.checkContent(taken.match, taken.prompt, SIZE);
      }
      return taken;
    }

    @Override
    @Operation
    public int pin(@Param(name = "prompt") int prompt) {
      try {
        return index.pin("name", HERE, PROMPTS[prompt]);
      } catch (IllegalArgumentException taken) {
        return -1;
      }
    }

    @Override
    @Operation
    public boolean unpin() {
      return index.unpin("name");
    }

    @Override
    @Operation
    public boolean clear() {
      return index.clear(Duration.ZERO);
    }

    @Override
    @Operation
    public long bytes() {
      index.checkIntegrity();
      return index.stats().storage().bytes();
    }
  }

  /** The same of the plain model. */
  public static class Sequential implements Operations {
    private record Open(int[] prompt, List<PlainModel.Entry> pinned) {}

    private final PlainModel model = new PlainModel(SIZE, BUDGET, Standard.LRU, 0, true);
    private final Map<Integer, Open> open = new HashMap<>();
    private List<PlainModel.Entry> named = List.of();

    @Override
    public int match(int prompt, int thread) {
      if (open.containsKey(thread)) {
        return -1;
      }
      model.begin(0);
      int[] tokens = PROMPTS[prompt];
      int cached = model.cached(HERE, tokens, tokens.length - 1);
      open.put(thread, new Open(tokens, pinned(tokens, cached, true)));
      return cached;
    }

    private List<PlainModel.Entry> pinned(int[] tokens, int length, boolean hit) {
      List<PlainModel.Entry> path = new ArrayList<>(model.whole(HERE, tokens, length));
      path.forEach(e -> model.touch(e, hit));
      path.forEach(e -> e.pins++);
      return path;
    }

    @Override
    public int commit(int thread) {
      Open done = open.remove(thread);
      if (done == null) {
        return -1;
      }
      model.begin(0);
      int stored = model.commit(HERE, done.prompt, done.prompt.length);
      done.pinned.forEach(e -> e.pins--);
      return stored;
    }

    @Override
    public boolean abort(int thread) {
      Open done = open.remove(thread);
      if (done != null) {
        done.pinned.forEach(e -> e.pins--);
      }
      return done != null;
    }

    @Override
    public int pin(int prompt) {
      if (!named.isEmpty()) {
        return -1;
      }
      model.begin(0);
      int[] tokens = PROMPTS[prompt];
      named = pinned(tokens, model.cached(HERE, tokens, tokens.length), false);
      return named.size() * SIZE;
    }

    @Override
    public boolean unpin() {
      boolean pinned = !named.isEmpty();
      named.forEach(e -> e.pins--);
      named = List.of();
      return pinned;
    }

    @Override
    public boolean clear() {
      if (open.isEmpty()) {
        model.entries.clear();
        named = List.of();
      }
      return open.isEmpty();
    }

    @Override
    public long bytes() {
      return model.bytes();
    }
  }

  /** An index that pins nothing. */
  public static class Wrong extends Concurrent {
    @Override
    @Operation
    public int match(
        @Param(name = "prompt") int prompt, @Param(gen = ThreadIdGen.class) int thread) {
      int cached = super.match(prompt, thread);
      if (cached >= 0) {
        release(thread);
      }
      return cached;
    }
  }

  /** Few times: the threads spin for each other, which takes long where they share a core. */
  private static void check(Class<?> operations) {
    new StressOptions()
        .threads(2)
        .actorsBefore(4)
        .actorsPerThread(4)
        .actorsAfter(2)
        .iterations(20)
        .invocationsPerIteration(30)
        .minimizeFailedScenario(false)
        .sequentialSpecification(Sequential.class)
        .check(operations);
  }

  @Test
  void theIndexIsLinearizable() {
    check(Concurrent.class);
  }

  @Test
  void theCheckNoticesMissingPins() {
    String found =
        assertThrows(LincheckAssertionError.class, () -> check(Wrong.class)).getMessage();
    assertTrue(found.contains("Invalid execution results"), found);
  }
}
