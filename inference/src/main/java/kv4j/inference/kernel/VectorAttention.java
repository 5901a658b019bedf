package kv4j.inference.kernel;

import kv4j.cache.block.KvExpander;

/**
 * {@link Kernels#attend} on the Java Vector API: many queries in batches, one lane each; few, as in
 * decoding, in pairs.
 */
final class VectorAttention {
  /**
   * Tokens whose keys and values all queries attend to before the next ones: with the scores of a
   * batch they fit into the first cache.
   */
  private static final int TOKENS_AT_ONCE = 128;

  /** Up to so many queries, pairs are faster than a batch most of whose lanes idle. */
  private static final int FEW = 4;

  /** Begin with no sums. */
  private static final int NOTHING = -1;

  private final KvExpander expander = new VectorExpander();

  void attend(
      AttentionTask task,
      float[] queries,
      float[] output,
      int at,
      int stride,
      AttentionScratch scratch) {
    scratch.place(task, 0, at, stride);
    attend(task, queries, output, scratch, NOTHING);
  }

  /** First all rows attend to what they share; then each goes on, from those sums, by itself. */
  void attendTogether(
      AttentionGroup group, float[] queries, float[] output, int stride, AttentionScratch scratch) {
    int count = 0;
    for (int i = 0; i < group.at().length; i++) {
      scratch.place(group.tasks().get(i), count, group.at()[i], stride);
      count += group.tasks().get(i).queries();
    }
    attend(group.head(), queries, null, scratch, NOTHING);
    count = 0;
    for (int i = 0; i < group.at().length; i++) {
      AttentionTask tail = group.tail(i);
      scratch.place(tail, 0, group.at()[i], stride);
      attend(tail, queries, output, scratch, count);
      count += tail.queries();
    }
  }

  /**
   * @param output null to put the sums aside instead
   * @param resumed which of the sums put aside to begin with, or {@link #NOTHING}
   */
  private void attend(
      AttentionTask task, float[] queries, float[] output, AttentionScratch scratch, int resumed) {
    int count = task.queries();
    int headDim = task.headDim();
    boolean few = count <= FEW;
    int batch = few ? VectorPair.QUERIES : VectorScores.QUERIES;
    int seenByLast = task.seenBy(count - 1);
    scratch.bind(task.spans(), task.layer(), task.kvHead(), seenByLast, expander);
    scratch.begin(
        count, batch, headDim, TOKENS_AT_ONCE + task.spans().block(0).layout().blockTokens());
    if (resumed != NOTHING) {
      scratch.resume(resumed, count, headDim);
    }
    for (int query = 0; query < count; query++) {
      int place = scratch.places[query];
      if (few) {
        scratch.take(query, batch, queries, place, headDim, task.scale());
      } else {
        int lane = query % batch;
        VectorScores.take(
            scratch, (query - lane) * headDim + lane, queries, place, headDim, task.scale());
      }
    }
    for (int span = 0, begin = 0, end; begin < seenByLast; begin = end) {
      int from = span;
      for (end = begin; end < begin + TOKENS_AT_ONCE && end < seenByLast; span++) {
        end += scratch.tokens[span];
      }
      for (int first = 0; first < count; first += batch) {
        int last = Math.min(first + batch, count) - 1;
        int visible = Math.min(end, task.seenBy(last)) - begin;
        if (visible > 0 && few) {
          VectorPair.attend(
              scratch,
              first,
              headDim,
              from,
              Math.min(task.seenBy(first) - begin, visible),
              visible);
        } else if (visible > 0) {
          attend(task, scratch, first, last, from, begin, visible);
        }
      }
    }
    if (output == null) {
      scratch.keep();
    }
    for (int query = 0; query < count && output != null; query++) {
      float factor = 1 / scratch.sums[query];
      int place = scratch.places[query];
      VectorKernels.scale(scratch.mixed, query * headDim, headDim, factor, output, place);
    }
    scratch.release();
  }

  /**
   * Adds what some tokens give to the sums of a batch of queries.
   *
   * @param begin the first token
   * @param visible how many of them the last query sees
   */
  private static void attend(
      AttentionTask task,
      AttentionScratch scratch,
      int first,
      int last,
      int fromSpan,
      int begin,
      int visible) {
    int headDim = task.headDim();
    int lanes = VectorKernels.LANES.length();
    int width = last - first < lanes ? lanes : VectorScores.QUERIES;
    VectorScores.score(scratch, first * headDim, width, headDim, fromSpan, visible);
    VectorScores.hide(scratch, first, width, task.group(), task.seenBy(0) - begin, visible);
    for (int lane = 0; lane < width; lane += lanes) {
      VectorScores.softmax(scratch, first + lane, lane, headDim, visible);
    }
    for (int query = first; query <= last; query += VectorMix.QUERIES) {
      for (int d = 0; d < headDim; d += VectorMix.CHUNK) {
        // The last chunk may overlap the one before, whose sums then stay as they are.
        int dim = Math.min(d, headDim - VectorMix.CHUNK);
        int to = query * headDim + dim;
        scratch.save(to, VectorMix.QUERIES, headDim, d - dim);
        VectorMix.mix(scratch, query - first, to, headDim, dim, fromSpan, visible);
        scratch.restore(to, VectorMix.QUERIES, headDim, d - dim);
      }
    }
  }
}
