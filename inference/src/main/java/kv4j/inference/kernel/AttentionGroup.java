package kv4j.inference.kernel;

import java.util.List;
import kv4j.cache.block.KvSpans;

/**
 * Attention of new rows of several sequences whose spans begin with the same blocks, for one KV
 * head.
 *
 * @param tasks one for each sequence, alike in layer, KV head, group and scale
 * @param at for each task, where its queries and its output begin, as of {@link Kernels#attend}
 * @param shared how many leading spans all of them have in common, at least 1; all rows see all of
 *     these
 */
public record AttentionGroup(List<AttentionTask> tasks, int[] at, int shared) {
  /** All rows and what they share, of which no token is new. */
  AttentionTask head() {
    AttentionTask first = tasks.get(0);
    int rows = tasks.stream().mapToInt(task -> task.toRow() - task.fromRow()).sum();
    return new AttentionTask(
        first.spans().slice(0, shared),
        first.layer(),
        first.kvHead(),
        0,
        0,
        rows,
        first.group(),
        first.scale());
  }

  /** One sequence's rows and what it does not share. */
  AttentionTask tail(int which) {
    AttentionTask task = tasks.get(which);
    KvSpans own = task.spans().slice(shared, task.spans().count());
    return new AttentionTask(
        own,
        task.layer(),
        task.kvHead(),
        task.rows(),
        task.fromRow(),
        task.toRow(),
        task.group(),
        task.scale());
  }
}
