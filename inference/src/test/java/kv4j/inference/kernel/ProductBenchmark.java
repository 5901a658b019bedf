package kv4j.inference.kernel;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import kv4j.model.format.block.TensorType;
import kv4j.model.weight.PanelMatrix;
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

/** One product on one thread, and the loop of multiply-adds in registers beside it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class ProductBenchmark {
  private static final int FMA_ITERATIONS = 20_000;

  @Param({"vector", "plain"})
  String kernels;

  @Param({"1", "32", "512"})
  int rows;

  /** Inputs and outputs: the projections of shapes S and M into their feed-forward networks. */
  @Param({"256x1408", "512x2816"})
  String shape;

  @Param({"F32"})
  TensorType type;

  private final ProductScratch scratch = new ProductScratch();
  private final FmaLoop fma = FmaLoop.vector().orElse(null);
  private Product product;
  private float[] x;
  private float[] out;
  private double flops;

  /** Makes JMH print GFLOP/s beside calls per millisecond. */
  @AuxCounters
  @State(Scope.Thread)
  public static class Flops {
    /** Millions of multiplications and additions. */
    public double gflopsPerSecond;
  }

  @Setup
  public void setUp() {
    int inputs = Integer.parseInt(shape.substring(0, shape.indexOf('x')));
    int outputs = Integer.parseInt(shape.substring(shape.indexOf('x') + 1));
    Random random = new Random(1);
    PanelMatrix matrix = RandomPanels.of(random, inputs, new TensorType[] {type}, outputs);
    product = KernelChoice.choose(kernels).product(new Weight(false, () -> matrix, matrix::expand));
    x = new float[rows * inputs];
    for (int i = 0; i < x.length; i++) {
      x[i] = random.nextFloat() - 0.5f;
    }
    out = new float[rows * outputs];
    flops = 2.0 * rows * inputs * outputs;
  }

  @Benchmark
  public void multiply(Flops counter) {
    product.run(x, 0, rows, 0, product.parts(), null, false, out, scratch);
    counter.gflopsPerSecond += flops / 1e6; // millions per ms: thousand millions per s
  }

  @Benchmark
  public float multiplyAdds(Flops counter) {
    counter.gflopsPerSecond += fma == null ? 0 : (double) FMA_ITERATIONS * fma.flops() / 1e6;
    return fma == null ? 0 : fma.run(FMA_ITERATIONS);
  }
}
