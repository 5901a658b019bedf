package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.kernel.AttentionTask;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/**
 * Attention over the spans that the cache answered with. Workers take tasks, each a KV head and
 * some rows of one sequence, as they get free, since later rows see more; a head's tasks mostly go
 * to one worker, which then reads its keys and values from its own cache.
 */
final class AttendStep implements Step {
  private static final int ROWS_PER_TASK = 32;

  private final Kernels kernels;
  private final Arena arena;
  private final AttentionShape shape;
  private final Register output;

  /**
   * @param output {@code [rows, heads * headDim]}
   */
  AttendStep(Kernels kernels, Arena arena, AttentionShape shape, Register output) {
    this.kernels = kernels;
    this.arena = arena;
    this.shape = shape;
    this.output = output;
  }

  @Override
  public void run(PassState pass, int worker) {
    int all = 0;
    for (ForwardPass.Segment segment : pass.segments()) {
      all += chunks(segment) * shape.kvHeads();
    }
    for (int task; (task = pass.nextTask(worker, all)) >= 0; ) {
      int s = 0;
      int chunks;
      while (task >= (chunks = chunks(pass.segments().get(s))) * shape.kvHeads()) {
        task -= chunks * shape.kvHeads();
        s++;
      }
      int begin = (chunks - 1 - task % chunks) * ROWS_PER_TASK; // the longest first
      int end = Math.min(begin + ROWS_PER_TASK, pass.segments().get(s).rows());
      attend(pass, s, task / chunks, begin, end, worker);
    }
  }

  private static int chunks(ForwardPass.Segment segment) {
    return (segment.rows() + ROWS_PER_TASK - 1) / ROWS_PER_TASK;
  }

  private void attend(PassState pass, int s, int kvHead, int begin, int end, int worker) {
    ForwardPass.Segment segment = pass.segments().get(s);
    int columns = shape.queryColumns();
    int groupColumns = shape.group() * shape.headDim();
    int firstRow = pass.segmentBegin(s);
    int at = firstRow * columns + kvHead * groupColumns;
    AttentionTask task =
        new AttentionTask(
            pass.spans(s),
            shape.layer(),
            kvHead,
            segment.rows(),
            begin,
            end,
            shape.group(),
            shape.scale());
    kernels.attend(
        task,
        arena.queries(),
        output.values(),
        at + begin * columns,
        columns,
        arena.attention(worker));
  }

  @Override
  public boolean rowLocal(PassState pass) {
    return false;
  }

  @Override
  public List<Register> writes() {
    return List.of(output);
  }

  @Override
  public String describe() {
    return kind() + ", layer " + shape.layer();
  }

  @Override
  public String kind() {
    return "attention";
  }
}
