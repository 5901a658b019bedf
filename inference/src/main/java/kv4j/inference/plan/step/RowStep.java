package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/**
 * Computes each row of a value from the same row of another: a norm, an activation. Kernels work on
 * the heap, in scratch that stays in the processor's first cache.
 *
 * @param name for people
 * @param input {@code [rows, n]}
 * @param kernel what is done to a row
 * @param output {@code [rows, m]}
 */
record RowStep(String name, Arena arena, Register input, Kernel kernel, Register output)
    implements Step {
  /** Computes a row. */
  @FunctionalInterface
  interface Kernel {
    /**
     * @param row {@code [n]}, from 0 on
     * @param result {@code [m]}, from 0 on
     */
    void compute(float[] row, float[] result);
  }

  @Override
  public void run(PassState pass, int worker) {
    float[] row = arena.row(worker);
    float[] result = arena.result(worker);
    for (int r = pass.rowBegin(worker); r < pass.rowEnd(worker); r++) {
      input.matrix().get(r, 0, row, 0, input.columns());
      kernel.compute(row, result);
      output.matrix().put(r, 0, result, 0, output.columns());
    }
  }

  @Override
  public List<Register> reads() {
    return List.of(input);
  }

  @Override
  public List<Register> writes() {
    return List.of(output);
  }

  @Override
  public String describe() {
    return name;
  }
}
