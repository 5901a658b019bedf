package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.plan.run.NativeMatrix;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/** Looks up each row's token, or its position, in an embedding table. */
final class EmbeddingStep implements Step {
  private final NativeMatrix table;
  private final boolean byPosition;
  private final Register output;

  EmbeddingStep(NativeMatrix table, boolean byPosition, Register output) {
    this.table = table;
    this.byPosition = byPosition;
    this.output = output;
  }

  @Override
  public void run(PassState pass, int worker) {
    for (int row = pass.rowBegin(worker); row < pass.rowEnd(worker); row++) {
      output.matrix().putRow(row, table, byPosition ? pass.position(row) : pass.token(row));
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
