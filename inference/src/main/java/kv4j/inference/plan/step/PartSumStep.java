package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * Adds what the other workers have of a projection that was split by inputs to what the first one
 * has. Each worker does so for its rows, with which it then goes on alone.
 */
final class PartSumStep implements Step {
  private final Arena arena;
  private final Register output;
  private final int inputs;

  /**
   * @param inputs of the projection
   */
  PartSumStep(Arena arena, Register output, int inputs) {
    this.arena = arena;
    this.output = output;
    this.inputs = inputs;
  }

  @Override
  public void run(PassState pass, int worker) {
    int begin = pass.rowBegin(worker);
    int count = (pass.rowEnd(worker) - begin) * output.columns();
    if (pass.byRows() || count == 0) {
      return;
    }
    long at = (long) begin * output.columns();
    FloatPointer sum = output.matrix().pointerTo(begin, 0);
    int parts = MatmulStep.parts(pass.workers(), inputs);
    for (int other = 1; other < parts; other++) {
      FloatPointer part = arena.part(other).pointerTo(0, at);
      openblas_nolapack.cblas_saxpy(count, 1f, part, 1, sum, 1);
    }
  }

  @Override
  public boolean rowLocal(PassState pass) {
    return true;
  }

  @Override
  public List<Register> reads() {
    return List.of(output);
  }

  @Override
  public List<Register> writes() {
    return List.of(output);
  }

  @Override
  public String describe() {
    return "sum of parts";
  }

  /** Nothing by itself: the projection is what the user knows. */
  @Override
  public String kind() {
    return "";
  }
}
