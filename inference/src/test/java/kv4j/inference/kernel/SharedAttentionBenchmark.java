package kv4j.inference.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import org.openjdk.jmh.annotations.AuxCounters;
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

/**
 * Attention of sequences that generate on one prefix, in one layer and one thread: 8 query heads on
 * 4 KV heads, a row and 32 tokens of its own each.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class SharedAttentionBenchmark {
  private static final int KV_HEADS = 4;
  private static final int GROUP = 2;
  private static final int HEAD_DIM = 32;
  private static final int OWN = 32;

  @Param({"vector", "plain"})
  String kernels;

  @Param({"2", "8", "32"})
  int sequences;

  @Param({"128", "512", "2048"})
  int shared;

  /** Whether shared blocks are read once for all, or for each sequence. */
  @Param({"true", "false"})
  boolean together;

  @Param({"F32"})
  KvDtype dtype;

  private final AttentionScratch scratch = new AttentionScratch();
  private final List<List<AttentionTask>> tasks = new ArrayList<>(); // of each KV head
  private Kernels form;
  private int sharedSpans;
  private float[] queries;
  private float[] output;

  /** Makes JMH print GFLOP/s beside calls per millisecond. */
  @AuxCounters
  @State(Scope.Thread)
  public static class Flops {
    /** Millions of multiplications and additions in scores and weighted values. */
    public double gflopsPerSecond;
  }

  @Setup
  public void setUp() {
    form = KernelChoice.choose(kernels);
    KvLayout layout = new KvLayout(1, KV_HEADS, HEAD_DIM, 16, dtype);
    Random random = new Random(1);
    List<KvBlock> prefix = blocks(layout, shared, random);
    sharedSpans = prefix.size();
    tasks.clear();
    for (int head = 0; head < KV_HEADS; head++) {
      tasks.add(new ArrayList<>());
    }
    for (int i = 0; i < sequences; i++) {
      List<KvBlock> all = new ArrayList<>(prefix);
      all.addAll(blocks(layout, OWN, random));
      KvSpans spans = KvSpans.of(all, shared + OWN);
      for (int head = 0; head < KV_HEADS; head++) {
        tasks.get(head).add(new AttentionTask(spans, 0, head, 1, 0, 1, GROUP, 0.2f));
      }
    }
    queries = random(random, sequences * KV_HEADS * GROUP * HEAD_DIM);
    output = new float[queries.length];
  }

  private static List<KvBlock> blocks(KvLayout layout, int tokens, Random random) {
    List<KvBlock> blocks = new ArrayList<>();
    for (int i = 0; i < layout.blocksFor(tokens); i++) {
      KvBlock block = new KvBlock(layout);
      int elements = layout.blockTokens() * layout.width();
      block.write(
          0, 0, layout.blockTokens(), random(random, elements), random(random, elements), 0);
      blocks.add(block);
    }
    return blocks;
  }

  private static float[] random(Random random, int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  @Benchmark
  public float[] attend(Flops counter) {
    int width = KV_HEADS * GROUP * HEAD_DIM;
    for (int head = 0; head < KV_HEADS; head++) {
      int at = head * GROUP * HEAD_DIM;
      int[] places = IntStream.range(0, sequences).map(i -> at + i * width).toArray();
      if (together) {
        AttentionGroup group = new AttentionGroup(tasks.get(head), places, sharedSpans);
        form.attendTogether(group, queries, output, width, scratch);
      } else {
        for (int i = 0; i < sequences; i++) {
          form.attend(tasks.get(head).get(i), queries, output, places[i], width, scratch);
        }
      }
    }
    counter.gflopsPerSecond += 4.0 * sequences * (shared + OWN) * width / 1e6;
    return output;
  }
}
