package kv4j.inference.plan;

import java.util.List;
import kv4j.inference.ForwardPass;

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
    int kept = 0;
    for (int s = 0; s < pass.segments().size(); s++) {
      ForwardPass.Segment segment = pass.segments().get(s);
      int end = pass.segmentBegin(s) + segment.rows();
      int begin =
          switch (segment.logits()) {
            case NONE -> end;
            case LAST -> end - 1;
            case ALL -> pass.segmentBegin(s);
          };
      for (int row = begin; row < end; row++, kept++) {
        if (row != kept) {
          for (Register register : live) {
            register.matrix().putRow(kept, register.matrix(), row);
          }
        }
      }
    }
    pass.shrinkTo(kept);
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
