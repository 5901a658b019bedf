package kv4j.inference.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
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

/** Attention of one layer on one thread: 8 query heads on 4 KV heads. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class AttentionBenchmark {
  private static final int KV_HEADS = 4;
  private static final int GROUP = 2;

  @Param({"vector", "plain"})
  String kernels;

  @Param({"32", "64"})
  int headDim;

  /** New tokens, of all tokens. */
  @Param({"512/512", "32/512", "1/512", "1/4096"})
  String rows;

  @Param({"F32"})
  KvDtype dtype;

  private final AttentionScratch scratch = new AttentionScratch();
  private Kernels form;
  private KvSpans spans;
  private int newRows;
  private float scale;
  private float[] queries;
  private float[] output;

  /** Makes JMH print GFLOP/s beside calls per millisecond. */
  @AuxCounters
  @State(Scope.Thread)
  public static class Flops {
    /** Millions of multiplications and additions in causal scores and weighted values. */
    public double gflopsPerSecond;
  }

  @Setup
  public void setUp() {
    form = KernelChoice.choose(kernels);
    newRows = Integer.parseInt(rows.substring(0, rows.indexOf('/')));
    int tokens = Integer.parseInt(rows.substring(rows.indexOf('/') + 1));
    KvLayout layout = new KvLayout(1, KV_HEADS, headDim, 16, dtype);
    Random random = new Random(1);
    List<KvBlock> blocks = new ArrayList<>();
    for (int i = 0; i < layout.blocksFor(tokens); i++) {
      KvBlock block = new KvBlock(layout);
      int elements = layout.blockTokens() * layout.width();
      block.write(
          0, 0, layout.blockTokens(), random(random, elements), random(random, elements), 0);
      blocks.add(block);
    }
    spans = KvSpans.of(blocks, tokens);
    scale = (float) (1 / Math.sqrt(headDim));
    queries = random(random, newRows * KV_HEADS * GROUP * headDim);
    output = new float[queries.length];
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
    int width = KV_HEADS * GROUP * headDim;
    for (int head = 0; head < KV_HEADS; head++) {
      int at = head * GROUP * headDim;
      AttentionTask task = new AttentionTask(spans, 0, head, newRows, 0, newRows, GROUP, scale);
      form.attend(task, queries, output, at, width, scratch);
    }
    double seen = newRows * (spans.length() - (newRows - 1) / 2.0);
    counter.gflopsPerSecond += 4 * seen * width / 1e6; // millions per ms: thousand millions per s
    return output;
  }
}
