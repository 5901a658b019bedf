package kv4j.inference.plan.step;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.List;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Looks up each row's token, or its position, in an embedding table.
 *
 * @param output {@code [rows, columns of the table]}
 */
record EmbeddingStep(Table table, boolean byPosition, Register output) implements Step {
  /** An embedding table. */
  @FunctionalInterface
  interface Table {
    /** Copies a row of it to {@code out}, from {@code at} on. */
    void copy(int row, float[] out, int at);

    /**
     * An array, which is read where it lies.
     *
     * @param array FLOAT in c order, {@code [rows, columns]}
     */
    static Table of(INDArray array) {
      FloatBuffer values = array.data().asNioFloat().slice(); // from where a view begins
      int columns = (int) array.size(1);
      return (row, out, at) -> {
        values.get(row * columns, out, at, columns);
        Reference.reachabilityFence(array); // which frees its memory when it goes
      };
    }
  }

  @Override
  public void run(PassState pass, int worker) {
    for (int row = pass.rowBegin(worker); row < pass.rowEnd(worker); row++) {
      int wanted = byPosition ? pass.position(row) : pass.token(row);
      table.copy(wanted, output.values(), output.at(row));
    }
  }

  @Override
  public List<Register> writes() {
    return List.of(output);
  }

  @Override
  public String describe() {
    return byPosition ? "position embedding" : "embedding";
  }
}
