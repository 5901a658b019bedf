package kv4j.inference.plan.op;

import java.util.Arrays;
import java.util.function.Function;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Step;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Where attention runs as stock ops: gives them the mask for rows that have a past, {@code [rows,
 * tokens]}.
 */
final class MaskStep implements Step {
  private static final float MASKED = -1e9f;

  private final String name;
  private final String kind;
  private final Function<PassState, INDArray> mask;

  /**
   * @param name variable that gets the mask
   * @param kind which one it is, for people
   * @param mask makes it
   */
  MaskStep(String name, String kind, Function<PassState, INDArray> mask) {
    this.name = name;
    this.kind = kind;
    this.mask = mask;
  }

  /** 0 where a row may attend to a token: itself and all before it; hugely negative elsewhere. */
  static INDArray causal(ForwardPass.Segment segment) {
    float[][] rows = new float[segment.rows()][segment.to()];
    for (int r = 0; r < rows.length; r++) {
      Arrays.fill(rows[r], segment.from() + r + 1, segment.to(), MASKED);
    }
    return Nd4j.createFromArray(rows);
  }

  @Override
  public void run(PassState pass, int worker) {
    if (worker == 0) {
      pass.values().put(name, mask.apply(pass));
    }
  }

  @Override
  public boolean rowLocal(PassState pass) {
    return false;
  }

  @Override
  public String describe() {
    return kind;
  }
}
