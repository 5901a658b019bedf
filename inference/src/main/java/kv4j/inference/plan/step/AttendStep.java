package kv4j.inference.plan.step;

import java.util.List;
import kv4j.inference.kernel.AttentionGroup;
import kv4j.inference.kernel.AttentionTask;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/**
 * Attention over the spans that the cache answered with. Workers take tasks, each a KV head and
 * some rows of one sequence, as they get free, since later rows see more; a head's tasks mostly go
 * to one worker, which then reads its keys and values from its own cache. Sequences that generate
 * on the same blocks are one task a head: {@link AttendUnit}.
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
    int kvHeads = shape.kvHeads();
    List<AttendUnit> units = AttendUnit.of(pass, (pass.workers() + kvHeads - 1) / kvHeads);
    int all = 0;
    for (AttendUnit unit : units) {
      all += chunks(pass, unit) * kvHeads;
    }
    for (int task; (task = pass.nextTask(worker, all)) >= 0; ) {
      int u = 0;
      int chunks;
      while (task >= (chunks = chunks(pass, units.get(u))) * kvHeads) {
        task -= chunks * kvHeads;
        u++;
      }
      AttendUnit unit = units.get(u);
      if (unit.shared() > 0) {
        attendTogether(pass, unit, task, worker);
        continue;
      }
      int s = unit.segments().get(0);
      int begin = (chunks - 1 - task % chunks) * ROWS_PER_TASK; // the longest first
      int end = Math.min(begin + ROWS_PER_TASK, pass.segments().get(s).rows());
      int kvHead = task / chunks;
      int at = place(pass, s, kvHead) + begin * shape.queryColumns();
      kernels.attend(
          task(pass, s, kvHead, begin, end),
          arena.queries(),
          output.values(),
          at,
          shape.queryColumns(),
          arena.attention(worker));
    }
  }

  /** Tasks of each KV head. */
  private static int chunks(PassState pass, AttendUnit unit) {
    int rows = unit.shared() > 0 ? 1 : pass.segments().get(unit.segments().get(0)).rows();
    return (rows + ROWS_PER_TASK - 1) / ROWS_PER_TASK;
  }

  private void attendTogether(PassState pass, AttendUnit unit, int kvHead, int worker) {
    List<Integer> segments = unit.segments();
    kernels.attendTogether(
        new AttentionGroup(
            segments.stream().map(s -> task(pass, s, kvHead, 0, 1)).toList(),
            segments.stream().mapToInt(s -> place(pass, s, kvHead)).toArray(),
            unit.shared()),
        arena.queries(),
        output.values(),
        shape.queryColumns(),
        arena.attention(worker));
  }

  private AttentionTask task(PassState pass, int s, int kvHead, int begin, int end) {
    return new AttentionTask(
        pass.spans(s),
        shape.layer(),
        kvHead,
        pass.segments().get(s).rows(),
        begin,
        end,
        shape.group(),
        shape.scale());
  }

  /** Where the queries of a segment's first row begin, those of a KV head. */
  private int place(PassState pass, int s, int kvHead) {
    return pass.segmentBegin(s) * shape.queryColumns() + kvHead * shape.group() * shape.headDim();
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
