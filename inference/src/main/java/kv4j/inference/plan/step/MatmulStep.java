package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.NativeMatrix;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * A projection: {@code output = input · weight}, or {@code output += input · weight}, plus a bias
 * if there is one. BLAS runs on one thread in each worker.
 *
 * <p>Long passes are split by rows, each worker with its own. Short ones are split so that every
 * weight is read by one worker only, and, since reading them is what takes the time, in one piece:
 * by inputs, that is by rows of the weight. Each worker then has a part of every sum, which {@link
 * PartSumStep} adds up. (Split by columns the pieces are short, and memory gave a fifth less.) A
 * weight that is stored transposed is in one piece if it is split by outputs.
 */
final class MatmulStep implements Step {
  private static final int ROW_MAJOR = 101;
  private static final int AS_IS = 111;
  private static final int TRANSPOSED = 112;

  private final String name;
  private final Arena arena;
  private final Register input;
  private final Register output;
  private final NativeMatrix weight;
  private final boolean transposed;
  private final boolean accumulate;
  private final Bias bias;
  private volatile Share[] shares;

  /**
   * @param weight {@code [in, out]}, or {@code [out, in]} if transposed
   * @param accumulate whether to add to what output holds
   * @param bias added to each row, or null
   */
  MatmulStep(
      String name,
      Arena arena,
      Register input,
      NativeMatrix weight,
      boolean transposed,
      Register output,
      boolean accumulate,
      Bias bias) {
    this.name = name;
    this.arena = arena;
    this.input = input;
    this.weight = weight;
    this.transposed = transposed;
    this.output = output;
    this.accumulate = accumulate;
    this.bias = bias;
    if (!transposed) {
      arena.reservePart(output);
    }
  }

  /** A worker's share of the weight, with the addresses prepared for one layout of the arena. */
  private record Share(
      int layout, FloatPointer in, FloatPointer weight, FloatPointer out, int begin, int count) {}

  @Override
  public void run(PassState pass, int worker) {
    if (pass.byRows()) {
      int begin = pass.rowBegin(worker);
      int rows = pass.rowEnd(worker) - begin;
      if (rows > 0) {
        boolean add = putBias(begin, rows, 0, output.columns(), worker);
        gemm(
            rows,
            output.columns(),
            input.columns(),
            input.matrix().pointerTo(begin, 0),
            weight.pointerTo(0, 0),
            add,
            output.matrix().pointerTo(begin, 0));
      }
      return;
    }
    int rows = pass.rows();
    Share share = shares(pass.workers())[worker];
    if (share.count == 0) {
      return;
    }
    if (transposed) {
      boolean add = putBias(0, rows, share.begin, share.count, worker);
      gemm(rows, share.count, input.columns(), share.in, share.weight, add, share.out);
    } else {
      boolean add = worker == 0 && putBias(0, rows, 0, output.columns(), worker);
      gemm(rows, output.columns(), share.count, share.in, share.weight, add, share.out);
    }
  }

  /**
   * @return whether the product is to be added to what output then holds
   */
  private boolean putBias(int firstRow, int rows, int column, int count, int worker) {
    if (bias != null) {
      bias.put(output.matrix(), firstRow, rows, column, count, accumulate, worker);
    }
    return accumulate || bias != null;
  }

  private void gemm(
      int rows,
      int outputs,
      int inputs,
      FloatPointer in,
      FloatPointer b,
      boolean add,
      FloatPointer out) {
    openblas_nolapack.cblas_sgemm(
        ROW_MAJOR,
        AS_IS,
        transposed ? TRANSPOSED : AS_IS,
        rows,
        outputs,
        inputs,
        1f,
        in,
        input.columns(),
        b,
        weight.columns(),
        add ? 1f : 0f,
        out,
        output.columns());
  }

  private Share[] shares(int workers) {
    Share[] prepared = shares;
    if (prepared == null || prepared.length != workers || prepared[0].layout != arena.layout()) {
      prepared = new Share[workers];
      for (int w = 0; w < workers; w++) {
        int begin = begin(w, workers);
        NativeMatrix target = transposed || w == 0 ? output.matrix() : arena.part(w);
        prepared[w] =
            new Share(
                arena.layout(),
                input.matrix().pointerTo(0, transposed ? 0 : begin),
                weight.pointerTo(begin, 0),
                target.pointerTo(0, transposed ? begin : 0),
                begin,
                begin(w + 1, workers) - begin);
      }
      shares = prepared;
    }
    return prepared;
  }

  /** A worker's first output or input; those beyond {@link #parts} have none. */
  private int begin(int worker, int workers) {
    int parts = parts(workers, weight.rows());
    return (int) ((long) weight.rows() * Math.min(worker, parts) / parts);
  }

  /** How many workers have a share of so many outputs or inputs. */
  static int parts(int workers, int rows) {
    return Math.min(workers, rows);
  }

  @Override
  public boolean rowLocal(PassState pass) {
    return pass.byRows();
  }

  @Override
  public List<Register> reads() {
    return accumulate ? List.of(input, output) : List.of(input);
  }

  @Override
  public List<Register> writes() {
    return List.of(output);
  }

  @Override
  public String describe() {
    return kind() + " " + name;
  }

  @Override
  public String kind() {
    return "matmul" + (bias == null ? "" : "+bias") + (accumulate ? "+add" : "");
  }
}
