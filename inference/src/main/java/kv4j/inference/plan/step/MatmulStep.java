package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.plan.run.NativeMatrix;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * A projection: {@code output = input · weight}, or {@code output += input · weight}, plus a bias
 * if there is one. BLAS runs on one thread in each worker. Long passes are split by rows, each
 * worker with its own; short ones by columns, so that every weight is read by one worker only.
 */
final class MatmulStep implements Step {
  private static final int ROW_MAJOR = 101;
  private static final int AS_IS = 111;
  private static final int TRANSPOSED = 112;
  private static final int COLUMN_GRAIN = 16;

  private final String name;
  private final Register input;
  private final Register output;
  private final NativeMatrix weight;
  private final boolean transposed;
  private final boolean accumulate;
  private final Bias bias;
  private volatile Columns[] columns;

  /**
   * @param weight {@code [in, out]}, or {@code [out, in]} if transposed
   * @param accumulate whether to add to what output holds
   * @param bias added to each row, or null
   */
  MatmulStep(
      String name,
      Register input,
      NativeMatrix weight,
      boolean transposed,
      Register output,
      boolean accumulate,
      Bias bias) {
    this.name = name;
    this.input = input;
    this.weight = weight;
    this.transposed = transposed;
    this.output = output;
    this.accumulate = accumulate;
    this.bias = bias;
  }

  /** A worker's share of the columns, with the addresses prepared. */
  private record Columns(
      NativeMatrix target,
      FloatPointer in,
      FloatPointer weight,
      FloatPointer out,
      int begin,
      int count) {}

  @Override
  public void run(PassState pass, int worker) {
    if (pass.byRows()) {
      int begin = pass.rowBegin(worker);
      int rows = pass.rowEnd(worker) - begin;
      if (rows > 0) {
        putBias(begin, rows, 0, output.columns(), worker);
        gemm(
            rows,
            output.columns(),
            input.matrix().pointerTo(begin, 0),
            weight.pointerTo(0, 0),
            output.matrix().pointerTo(begin, 0));
      }
      return;
    }
    Columns share = columns(pass.workers())[worker];
    if (share.count > 0) {
      putBias(0, pass.rows(), share.begin, share.count, worker);
      gemm(pass.rows(), share.count, share.in, share.weight, share.out);
    }
  }

  private void putBias(int firstRow, int rows, int column, int count, int worker) {
    if (bias != null) {
      bias.put(output.matrix(), firstRow, rows, column, count, accumulate, worker);
    }
  }

  private void gemm(int rows, int count, FloatPointer in, FloatPointer b, FloatPointer out) {
    openblas_nolapack.cblas_sgemm(
        ROW_MAJOR,
        AS_IS,
        transposed ? TRANSPOSED : AS_IS,
        rows,
        count,
        input.columns(),
        1f,
        in,
        input.columns(),
        b,
        weight.columns(),
        accumulate || bias != null ? 1f : 0f,
        out,
        output.columns());
  }

  private Columns[] columns(int workers) {
    Columns[] prepared = columns;
    if (prepared == null || prepared.length != workers || prepared[0].target != output.matrix()) {
      prepared = new Columns[workers];
      for (int w = 0; w < workers; w++) {
        int begin = columnBegin(w, workers);
        int end = columnBegin(w + 1, workers);
        prepared[w] =
            new Columns(
                output.matrix(),
                input.matrix().pointerTo(0, 0),
                transposed ? weight.pointerTo(begin, 0) : weight.pointerTo(0, begin),
                output.matrix().pointerTo(0, begin),
                begin,
                end - begin);
      }
      columns = prepared;
    }
    return prepared;
  }

  private int columnBegin(int worker, int workers) {
    int all = output.columns();
    if (worker == workers) {
      return all;
    }
    return (int) ((long) all * worker / workers) / COLUMN_GRAIN * COLUMN_GRAIN;
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
