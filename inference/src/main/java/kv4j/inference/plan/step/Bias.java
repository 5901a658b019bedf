package kv4j.inference.plan.step;

import kv4j.inference.kernel.Kernels;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.NativeMatrix;

/** A vector that a projection adds to each row: put there first, for BLAS to add the product to. */
record Bias(Kernels kernels, Arena arena, float[] values) {
  /**
   * Puts part of the vector into rows of a matrix.
   *
   * @param add whether to add it to what is there
   * @param worker whose scratch to use
   */
  void put(
      NativeMatrix target, int firstRow, int rows, int column, int count, boolean add, int worker) {
    float[] sum = arena.row(worker);
    for (int row = firstRow; row < firstRow + rows; row++) {
      if (add) {
        target.get(row, column, sum, 0, count);
        kernels.add(sum, 0, values, column, count);
        target.put(row, column, sum, 0, count);
      } else {
        target.put(row, column, values, column, count);
      }
    }
  }
}
