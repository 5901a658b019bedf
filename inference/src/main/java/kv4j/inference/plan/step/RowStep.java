package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/**
 * Computes each row of a value from the same row of another: a norm, an activation.
 *
 * @param name for people
 * @param input {@code [rows, n]}
 * @param kernel what is done to a row
 * @param output {@code [rows, m]}
 */
record RowStep(String name, Register input, Kernel kernel, Register output) implements Step {
  /** Computes a row. */
  @FunctionalInterface
  interface Kernel {
    /**
     * @param x {@code [n]}, from {@code at} on
     * @param out {@code [m]}, from {@code outAt} on
     */
    void compute(float[] x, int at, float[] out, int outAt);
  }

  @Override
  public void run(PassState pass, int worker) {
    for (int row = pass.rowBegin(worker); row < pass.rowEnd(worker); row++) {
      kernel.compute(input.values(), input.at(row), output.values(), output.at(row));
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
