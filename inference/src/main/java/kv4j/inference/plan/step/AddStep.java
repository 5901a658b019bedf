package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/** Adds two values of the same shape. */
final class AddStep implements Step {
  private final Kernels kernels;
  private final Arena arena;
  private final Register left;
  private final Register right;
  private final Register output;

  AddStep(Kernels kernels, Arena arena, Register left, Register right, Register output) {
    this.kernels = kernels;
    this.arena = arena;
    this.left = left;
    this.right = right;
    this.output = output;
  }

  @Override
  public void run(PassState pass, int worker) {
    float[] row = arena.row(worker);
    float[] result = arena.result(worker);
    int n = output.columns();
    for (int r = pass.rowBegin(worker); r < pass.rowEnd(worker); r++) {
      left.matrix().get(r, 0, result, 0, n);
      right.matrix().get(r, 0, row, 0, n);
      kernels.add(result, 0, row, 0, n);
      output.matrix().put(r, 0, result, 0, n);
    }
  }

  @Override
  public List<Register> reads() {
    return List.of(left, right);
  }

  @Override
  public List<Register> writes() {
    return List.of(output);
  }

  @Override
  public String describe() {
    return "add";
  }
}
