package kv4j.inference.plan.step;

import java.util.List;
import java.util.concurrent.TimeUnit;
import kv4j.inference.Blas;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.NativeMatrix;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A projection by one worker, on one thread of BLAS. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class MatmulBenchmark {
  /** Rows of the pass. */
  @Param({"1", "32", "256"})
  int rows;

  /** Columns in and out: into and out of the feed-forward network of shape S. */
  @Param({"256x1408", "704x256"})
  String shape;

  /** As the residual sum after some projections. */
  @Param({"false", "true"})
  boolean accumulate;

  private NativeMatrix in;
  private NativeMatrix weight;
  private NativeMatrix out;
  private Step step;
  private PassState pass;
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
    Blas.useOneThread();
    int inColumns = Integer.parseInt(shape.substring(0, shape.indexOf('x')));
    int outColumns = Integer.parseInt(shape.substring(shape.indexOf('x') + 1));
    in = random(rows, inColumns);
    weight = random(inColumns, outColumns);
    out = random(rows, outColumns);
    Register input = new Register(inColumns);
    input.assign(in);
    Register output = new Register(outColumns);
    output.assign(out);
    step =
        new MatmulStep("", new Arena(1, 0, 0, 0), input, weight, false, output, accumulate, null);
    pass =
        new PassState(
            new ForwardPass(
                List.of(
                    new ForwardPass.Segment(
                        null, new int[rows], 0, rows, ForwardPass.Logits.NONE))),
            1);
    flops = 2.0 * rows * inColumns * outColumns;
  }

  private static NativeMatrix random(int rows, int columns) {
    NativeMatrix matrix = NativeMatrix.allocate(rows, columns);
    matrix.array().assign(Nd4j.randn(rows, columns));
    return matrix;
  }

  /** Sums that have grown for too long would be infinite. */
  @Setup(Level.Iteration)
  public void clear() {
    out.array().assign(0);
  }

  @TearDown
  public void tearDown() {
    in.close();
    weight.close();
    out.close();
  }

  @Benchmark
  public void multiply(Flops counter) {
    step.run(pass, 0);
    counter.gflopsPerSecond += flops / 1e6; // millions per ms: thousand millions per s
  }
}
