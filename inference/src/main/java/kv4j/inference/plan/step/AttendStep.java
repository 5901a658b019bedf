package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.ForwardPass;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/**
 * Attention over the spans that the cache answered with. Workers take tasks, each a KV head and
 * some rows of one sequence, as they get free, since later rows see more.
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
    int skip = 0;
    int task = pass.nextTask();
    for (int s = 0; s < pass.segments().size(); s++) {
      int rows = pass.segments().get(s).rows();
      int chunks = (rows + ROWS_PER_TASK - 1) / ROWS_PER_TASK;
      int tasks = chunks * shape.kvHeads();
      while (task < skip + tasks) {
        int chunk = chunks - 1 - (task - skip) / shape.kvHeads(); // longest first
        int begin = chunk * ROWS_PER_TASK;
        attend(
            pass,
            s,
            (task - skip) % shape.kvHeads(),
            begin,
            Math.min(begin + ROWS_PER_TASK, rows),
            worker);
        task = pass.nextTask();
      }
      skip += tasks;
    }
  }

  private void attend(PassState pass, int s, int kvHead, int begin, int end, int worker) {
    ForwardPass.Segment segment = pass.segments().get(s);
    int columns = shape.queryColumns();
    int groupColumns = shape.group() * shape.headDim();
    int firstRow = pass.segmentBegin(s);
    int at = firstRow * columns + kvHead * groupColumns;
    float[] context = arena.context();
    kernels.attend(
        pass.spans(s),
        shape.layer(),
        kvHead,
        segment.rows(),
        begin,
        end,
        shape.group(),
        shape.scale(),
        arena.queries(),
        at + begin * columns,
        columns,
        context,
        at + begin * columns,
        columns,
        arena.attention(worker));
    for (int r = begin; r < end; r++) {
      output
          .matrix()
          .put(firstRow + r, kvHead * groupColumns, context, at + r * columns, groupColumns);
    }
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
