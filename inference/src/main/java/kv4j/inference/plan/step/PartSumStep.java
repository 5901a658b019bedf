package kv4j.inference.plan.step;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
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
  private final AtomicReferenceArray<Share> shares;

  /**
   * @param inputs of the projection
   */
  PartSumStep(Arena arena, Register output, int inputs) {
    this.arena = arena;
    this.output = output;
    this.inputs = inputs;
    shares = new AtomicReferenceArray<>(arena.workers());
  }

  /** A worker's rows of the sum and of the parts to add, with the addresses prepared. */
  private record Share(int layout, int begin, FloatPointer sum, List<FloatPointer> parts) {}

  @Override
  public void run(PassState pass, int worker) {
    int begin = pass.rowBegin(worker);
    int count = (pass.rowEnd(worker) - begin) * output.columns();
    int parts = MatmulStep.parts(pass.workers(), inputs);
    if (pass.byRows() || count == 0 || parts == 1) {
      return;
    }
    Share share = shares.get(worker);
    if (share == null || share.layout != arena.layout() || share.begin != begin) {
      share = prepare(parts, begin);
      shares.set(worker, share);
    }
    for (FloatPointer part : share.parts) {
      openblas_nolapack.cblas_saxpy(count, 1f, part, 1, share.sum, 1);
    }
  }

  private Share prepare(int parts, int begin) {
    long at = (long) begin * output.columns();
    List<FloatPointer> others = new ArrayList<>();
    for (int worker = 1; worker < parts; worker++) {
      others.add(arena.part(worker).pointerTo(0, at));
    }
    return new Share(arena.layout(), begin, output.matrix().pointerTo(begin, 0), others);
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
