package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/** RMSNorm of each row, or LayerNorm where there is a bias. */
final class NormStep implements Step {
  private final Kernels kernels;
  private final Arena arena;
  private final Register input;
  private final Register output;
  private final float[] gain;
  private final float[] bias;
  private final float epsilon;

  /**
   * @param bias null for RMSNorm
   */
  NormStep(
      Kernels kernels,
      Arena arena,
      Register input,
      float[] gain,
      float[] bias,
      float epsilon,
      Register output) {
    this.kernels = kernels;
    this.arena = arena;
    this.input = input;
    this.gain = gain;
    this.bias = bias;
    this.epsilon = epsilon;
    this.output = output;
  }

  @Override
  public void run(PassState pass, int worker) {
    float[] row = arena.row(worker);
    float[] result = arena.result(worker);
    int n = input.columns();
    for (int r = pass.rowBegin(worker); r < pass.rowEnd(worker); r++) {
      input.matrix().get(r, 0, row, 0, n);
      if (bias == null) {
        kernels.rmsNorm(row, 0, gain, epsilon, n, result, 0);
      } else {
        kernels.layerNorm(row, 0, gain, bias, epsilon, n, result, 0);
      }
      output.matrix().put(r, 0, result, 0, n);
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
    return bias == null ? "rms norm" : "layer norm";
  }
}
