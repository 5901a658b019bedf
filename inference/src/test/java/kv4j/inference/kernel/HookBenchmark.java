package kv4j.inference.kernel;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.basic.NoCacheProvider;
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

/** Keys and values on their way from a pass into blocks: 4 KV heads of 32 in 32 layers. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class HookBenchmark {
  private static final int LAYERS = 32;
  private static final int BLOCK_TOKENS = 16;

  /** New tokens; a block's write takes as many of them as it has room for. */
  @Param({"1", "256"})
  int tokens;

  @Param({"F32", "F16", "I8"})
  KvDtype dtype;

  private KvLayout layout;
  private KvBlock block;
  private KvSequence sequence;
  private float[] keys;
  private float[] values;

  /** Makes JMH print GB/s, of the floats that go in, beside calls per millisecond. */
  @AuxCounters
  @State(Scope.Thread)
  public static class Bytes {
    /** Millions of bytes. */
    public double gigabytesPerSecond;
  }

  @Setup
  public void setUp() {
    layout = new KvLayout(LAYERS, 4, 32, BLOCK_TOKENS, dtype);
    Random random = new Random(1);
    keys = random(random, tokens * layout.width());
    values = random(random, tokens * layout.width());
    block = new KvBlock(layout);
    KvCache cache = new NoCacheProvider().create(KvCacheConfig.of(layout, Long.MAX_VALUE));
    sequence = cache.open(KvRequest.of(0));
  }

  private static float[] random(Random random, int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private void count(Bytes counter, int written) {
    long bytes = 2L * LAYERS * written * layout.width() * Float.BYTES;
    counter.gigabytesPerSecond += bytes / 1e6; // millions per ms: thousand millions per s
  }

  /** All layers of one block. */
  @Benchmark
  public KvBlock write(Bytes counter) {
    int written = Math.min(tokens, BLOCK_TOKENS);
    for (int layer = 0; layer < LAYERS; layer++) {
      block.write(layer, 0, written, keys, values, 0);
    }
    count(counter, written);
    return block;
  }

  /** The hook in all layers of a pass, from an empty sequence, whose blocks there are already. */
  @Benchmark
  public KvSpans update(Bytes counter) {
    sequence.begin(); // without a cache, this empties it
    KvSpans spans = null;
    for (int layer = 0; layer < LAYERS; layer++) {
      spans = sequence.update(layer, keys, values, 0, tokens);
    }
    count(counter, tokens);
    return spans;
  }
}
