package kv4j.inference.plan;

import java.util.List;

/** Looks up each token's row of the embedding table. */
final class EmbeddingStep implements Step {
  private final NativeMatrix table;
  private final Register output;

  EmbeddingStep(NativeMatrix table, Register output) {
    this.table = table;
    this.output = output;
  }

  @Override
  public void run(PassState pass, int worker) {
    for (int row = pass.rowBegin(worker); row < pass.rowEnd(worker); row++) {
      output.matrix().putRow(row, table, pass.token(row));
    }
  }

  @Override
  public List<Register> reads() {
    return List.of();
  }

  @Override
  public List<Register> writes() {
    return List.of(output);
  }

  @Override
  public String describe() {
    return "embedding";
  }
}
