package kv4j.inference.kernel;

import java.util.Random;
import java.util.concurrent.TimeUnit;
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

/** All kernels but attention, on one row of a model and on one thread. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class RowKernelsBenchmark {
  private static final int HEAD_DIM = 32;
  private static final float EPSILON = 1e-5f;

  @Param({"vector", "plain"})
  String kernels;

  /** Columns of the residual stream. */
  @Param({"256", "2048"})
  int dim;

  private Kernels form;
  private int ffnDim;
  private float[] row;
  private float[] gateUp;
  private float[] gain;
  private float[] bias;
  private float[] cos;
  private float[] sin;
  private float[] output;

  /** Makes JMH print thousand millions of results a second beside calls per millisecond. */
  @AuxCounters
  @State(Scope.Thread)
  public static class Elements {
    /** Millions of results. */
    public double gigaelementsPerSecond;
  }

  @Setup
  public void setUp() {
    form = KernelChoice.choose(kernels);
    ffnDim = dim * 11 / 4;
    Random random = new Random(1);
    row = random(random, dim);
    gateUp = random(random, 2 * ffnDim);
    gain = random(random, dim);
    bias = random(random, dim);
    output = new float[ffnDim];
    cos = new float[HEAD_DIM / 2];
    sin = new float[HEAD_DIM / 2];
    for (int pair = 0; pair < cos.length; pair++) {
      cos[pair] = (float) Math.cos(pair);
      sin[pair] = (float) Math.sin(pair);
    }
  }

  private static float[] random(Random random, int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private float[] count(Elements counter, int elements) {
    counter.gigaelementsPerSecond += elements / 1e6; // millions per ms: thousand millions per s
    return output;
  }

  @Benchmark
  public float[] rmsNorm(Elements counter) {
    form.rmsNorm(row, 0, gain, EPSILON, dim, output, 0);
    return count(counter, dim);
  }

  @Benchmark
  public float[] layerNorm(Elements counter) {
    form.layerNorm(row, 0, gain, bias, EPSILON, dim, output, 0);
    return count(counter, dim);
  }

  /** As many heads as the row has room for; a rotation keeps their size, however often. */
  @Benchmark
  public float[] rotateAdjacent(Elements counter) {
    form.rotate(row, 0, dim / HEAD_DIM, HEAD_DIM, cos, sin, 0, true);
    return count(counter, dim);
  }

  @Benchmark
  public float[] rotateSplit(Elements counter) {
    form.rotate(row, 0, dim / HEAD_DIM, HEAD_DIM, cos, sin, 0, false);
    return count(counter, dim);
  }

  @Benchmark
  public float[] swiGlu(Elements counter) {
    form.swiGlu(gateUp, 0, ffnDim, output, 0);
    return count(counter, ffnDim);
  }

  @Benchmark
  public float[] gelu(Elements counter) {
    form.gelu(gateUp, 0, ffnDim, output, 0);
    return count(counter, ffnDim);
  }

  @Benchmark
  public float[] add(Elements counter) {
    form.add(output, 0, bias, 0, dim);
    return count(counter, dim);
  }
}
