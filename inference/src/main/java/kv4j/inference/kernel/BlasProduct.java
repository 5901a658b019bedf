package kv4j.inference.kernel;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Products by the BLAS library under ND4J, for JVMs without the Vector API. It reads and writes
 * memory outside the Java heap, so rows are copied there and back, which is little beside the
 * product. Each call runs on the thread that makes it.
 */
final class BlasProduct implements Product {
  private static final int ROW_MAJOR = 101;
  private static final int AS_IS = 111;
  private static final int TRANSPOSED = 112;

  /** Outputs that are shared out together. */
  private static final int PART = 64;

  private final boolean outputsFirst;
  private final int inputs;
  private final int outputs;
  private final INDArray array;
  private final FloatPointer weights;

  /**
   * @param array {@code [inputs, outputs]}, or {@code [outputs, inputs]} if outputs come first
   */
  BlasProduct(INDArray array, boolean outputsFirst) {
    openblas_nolapack.blas_set_num_threads(1);
    this.array = array; // whose memory must live as long as this
    this.outputsFirst = outputsFirst;
    inputs = (int) array.size(outputsFirst ? 1 : 0);
    outputs = (int) array.size(outputsFirst ? 0 : 1);
    weights = new FloatPointer(array.data().addressPointer());
  }

  @Override
  public int inputs() {
    return inputs;
  }

  @Override
  public int outputs() {
    return outputs;
  }

  @Override
  public int parts() {
    return (outputs + PART - 1) / PART;
  }

  @Override
  public boolean expands() {
    return false;
  }

  @Override
  public void run(
      float[] x,
      int fromRow,
      int toRow,
      int fromPart,
      int toPart,
      float[] bias,
      boolean add,
      float[] out,
      ProductScratch scratch) {
    int rows = toRow - fromRow;
    int column = fromPart * PART;
    int count = Math.min(outputs, toPart * PART) - column;
    if (rows == 0 || count <= 0) {
      return;
    }
    FloatPointer in = scratch.blasInput(rows * inputs);
    FloatPointer result = scratch.blasOutput(rows * count);
    in.put(x, fromRow * inputs, rows * inputs);
    openblas_nolapack.cblas_sgemm(
        ROW_MAJOR,
        AS_IS,
        outputsFirst ? TRANSPOSED : AS_IS,
        rows,
        count,
        inputs,
        1f,
        in,
        inputs,
        new FloatPointer(weights).position(outputsFirst ? (long) column * inputs : column),
        (int) array.size(1),
        0f,
        result,
        count);
    float[] sums = scratch.blasRow(count);
    for (int row = 0; row < rows; row++) {
      result.position((long) row * count).get(sums, 0, count);
      int at = (fromRow + row) * outputs + column;
      for (int i = 0; i < count; i++) {
        float before = add ? out[at + i] : 0;
        out[at + i] = before + sums[i] + (bias == null ? 0 : bias[column + i]);
      }
    }
    result.position(0);
  }
}
