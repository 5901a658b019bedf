package kv4j.inference.plan.op;

import java.util.List;
import kv4j.inference.ForwardPass;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Where attention runs as stock ops: makes the causal mask for rows that have a past, {@code [rows,
 * tokens]}, 0 where a row may attend to a token and hugely negative elsewhere.
 */
final class MaskStep implements Step {
  private static final float MASKED = -1e9f;

  private final String mask;

  /**
   * @param mask variable that gets the mask
   */
  MaskStep(String mask) {
    this.mask = mask;
  }

  @Override
  public void run(PassState pass, int worker) {
    if (worker != 0) {
      return;
    }
    ForwardPass.Segment segment = pass.segments().get(0);
    float[][] rows = new float[segment.rows()][segment.to()];
    for (int r = 0; r < rows.length; r++) {
      java.util.Arrays.fill(rows[r], segment.from() + r + 1, segment.to(), MASKED);
    }
    INDArray array = Nd4j.createFromArray(rows);
    pass.values().put(mask, array);
  }

  @Override
  public boolean rowLocal(PassState pass) {
    return false;
  }

  @Override
  public List<Register> reads() {
    return List.of();
  }

  @Override
  public List<Register> writes() {
    return List.of();
  }

  @Override
  public String describe() {
    return "causal mask";
  }
}
