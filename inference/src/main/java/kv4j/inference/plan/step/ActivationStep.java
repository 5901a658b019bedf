package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/** The activation of each row: SwiGLU, {@code silu(gate) * up}, or GELU. */
final class ActivationStep implements Step {
  private final Kernels kernels;
  private final Arena arena;
  private final boolean gated;
  private final Register input;
  private final Register output;

  /**
   * @param gated whether it is SwiGLU
   * @param input {@code [rows, 2 n]}, gate then up, or {@code [rows, n]} without a gate
   * @param output {@code [rows, n]}
   */
  ActivationStep(Kernels kernels, Arena arena, boolean gated, Register input, Register output) {
    this.kernels = kernels;
    this.arena = arena;
    this.gated = gated;
    this.input = input;
    this.output = output;
  }

  @Override
  public void run(PassState pass, int worker) {
    float[] row = arena.row(worker);
    float[] result = arena.result(worker);
    for (int r = pass.rowBegin(worker); r < pass.rowEnd(worker); r++) {
      input.matrix().get(r, 0, row, 0, input.columns());
      if (gated) {
        kernels.swiGlu(row, 0, output.columns(), result, 0);
      } else {
        kernels.gelu(row, 0, output.columns(), result, 0);
      }
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
    return gated ? "swiglu" : "gelu";
  }
}
