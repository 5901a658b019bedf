package kv4j.inference.plan.step;

import kv4j.cache.block.KvSpans;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.PassState;
import kv4j.inference.plan.run.Step;

/** Calls each sequence's cache with the layer's new keys and values. */
final class HookStep implements Step {
  private final Arena arena;
  private final AttentionShape shape;

  HookStep(Arena arena, AttentionShape shape) {
    this.arena = arena;
    this.shape = shape;
  }

  @Override
  public void run(PassState pass, int worker) {
    if (worker == 0) {
      pass.resetTasks();
    }
    for (int s = worker; s < pass.segments().size(); s += pass.workers()) {
      ForwardPass.Segment segment = pass.segments().get(s);
      KvSpans spans =
          segment
              .sequence()
              .update(
                  shape.layer(),
                  arena.keys(),
                  arena.values(),
                  pass.segmentBegin(s),
                  segment.rows());
      requireAll(spans, segment);
      pass.setSpans(s, spans);
    }
  }

  /** Attention takes the last keys to be the new rows' own, and all before them to be there. */
  private static void requireAll(KvSpans spans, ForwardPass.Segment segment) {
    if (spans.length() != segment.to()) {
      throw new IllegalArgumentException(
          "the cache gave keys and values of %d tokens, but there are %d"
              .formatted(spans.length(), segment.to()));
    }
  }

  @Override
  public boolean rowLocal(PassState pass) {
    return false;
  }

  @Override
  public String describe() {
    return kind() + ", layer " + shape.layer();
  }

  @Override
  public String kind() {
    return "hook";
  }
}
