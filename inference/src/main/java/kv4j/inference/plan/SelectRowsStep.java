package kv4j.inference.plan;

import java.util.List;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/**
 * Keeps only the rows whose logits are asked for. Comes after the last attention, since from there
 * on a row concerns nobody but itself.
 */
final class SelectRowsStep implements Step {
  private final List<Register> live;

  SelectRowsStep(List<Register> live) {
    this.live = List.copyOf(live);
  }

  @Override
  public void run(PassState pass, int worker) {
    if (worker != 0) {
      return;
    }
    long[] wanted = pass.logitRows();
    for (int kept = 0; kept < wanted.length; kept++) {
      if (wanted[kept] != kept) {
        for (Register register : live) {
          float[] rows = register.values();
          int from = register.at((int) wanted[kept]);
          System.arraycopy(rows, from, rows, register.at(kept), register.columns());
        }
      }
    }
    pass.shrinkTo(wanted.length);
  }

  @Override
  public boolean rowLocal(PassState pass) {
    return false;
  }

  @Override
  public List<Register> reads() {
    return live;
  }

  @Override
  public List<Register> writes() {
    return live;
  }

  @Override
  public String describe() {
    return "select rows";
  }
}
