package kv4j.cache.index;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import kv4j.cache.EvictionPolicy.Standard;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * What the index costs a request, and, printed by {@link #main} first, what it remembers per token
 * beside the payload. Prompts share their first half in groups of ten and are told apart by the
 * rest.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class PrefixIndexBenchmark {
  private static final Keyspace SPACE = new Keyspace("", "model", "");
  private static final int BLOCK = 16;
  private static final int VOCABULARY = 32_000;
  private static final Object PAYLOAD = new Object();

  @Param({"500", "2000", "8000"})
  int promptTokens;

  @Param({"100", "10000"})
  int prompts;

  private PrefixIndex<Object> index;
  private int[][] stored;
  private List<Object> blocks;
  private int next;

  @Setup
  public void fill() {
    index = newIndex((long) prompts * promptTokens / BLOCK);
    stored = prompts(prompts, promptTokens);
    blocks = Collections.nCopies(promptTokens / BLOCK + 1, PAYLOAD);
    for (int[] prompt : stored) {
      insert(prompt);
    }
  }

  private static PrefixIndex<Object> newIndex(long budget) {
    return new PrefixIndex<>(
        new Limits(BLOCK, budget, Standard.LRU, 0, true), block -> 1, System::nanoTime, e -> {});
  }

  private static int[][] prompts(int count, int tokens) {
    int[][] prompts = new int[count][tokens];
    for (int i = 0; i < count; i++) {
      Random head = new Random(i / 10);
      Random tail = new Random(1_000_000L + i);
      Arrays.setAll(prompts[i], at -> (at < tokens / 2 ? head : tail).nextInt(VOCABULARY));
    }
    return prompts;
  }

  private int insert(int[] prompt) {
    return index.commit(index.match(SPACE, prompt).lease(), prompt, prompt.length, blocks);
  }

  /** Finds all of a stored prompt and gives it back. */
  @Benchmark
  public int lookup() {
    PrefixIndex.Match<Object> match = index.match(SPACE, stored[next++ % stored.length]);
    match.lease().close();
    return match.lookup().cachedTokens();
  }

  /** Finds the shared half of a prompt and adopts the other half, evicting as much. */
  @Benchmark
  public int lookupAndInsert() {
    int[] prompt = stored[next++ % stored.length];
    prompt[promptTokens / 2]++; // from here on it is a new one
    return insert(prompt);
  }

  public static void main(String[] args) throws RunnerException {
    printBookkeeping();
    new Runner(new OptionsBuilder().include(PrefixIndexBenchmark.class.getSimpleName()).build())
        .run();
  }

  private static void printBookkeeping() {
    for (int tokens : new int[] {100, 2000}) {
      int count = 4_000_000 / tokens;
      int[][] prompts = prompts(count, tokens);
      List<Object> payload = Collections.nCopies(tokens / BLOCK + 1, PAYLOAD);
      PrefixIndex<Object> filled = newIndex(Integer.MAX_VALUE);
      long before = usedMemory();
      for (int[] prompt : prompts) {
        filled.commit(filled.match(SPACE, prompt).lease(), prompt, tokens, payload);
      }
      double perToken =
          (double) (usedMemory() - before) / (filled.stats().storage().entries() * BLOCK);
      System.out.printf(
          "%d prompts of %d tokens: %.1f bytes of bookkeeping per cached token%n",
          count, tokens, perToken);
      if (filled.stats().storage().entries() == 0 || prompts.length == 0) {
        throw new IllegalStateException("nothing was kept"); // and keeps both alive until here
      }
    }
  }

  private static long usedMemory() {
    for (int i = 0; i < 4; i++) {
      System.gc();
    }
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }
}
