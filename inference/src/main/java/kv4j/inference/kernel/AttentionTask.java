package kv4j.inference.kernel;

import kv4j.cache.block.KvSpans;

/**
 * Causal attention of some of one sequence's new rows, for the query heads that share one KV head.
 * Row {@code r} of the {@code rows} new ones sees the first {@code spans.length() - rows + r + 1}
 * tokens of the spans.
 *
 * @param spans what the hook returned for this layer, the new rows' own tokens last
 * @param layer attention layer
 * @param kvHead which KV head
 * @param rows new rows of the sequence in this pass
 * @param fromRow first row to compute, from 0
 * @param toRow the row after the last to compute, at most {@code rows}
 * @param group query heads that share the KV head
 * @param scale factor on every score, usually {@code 1 / sqrt(headDim)}
 */
public record AttentionTask(
    KvSpans spans,
    int layer,
    int kvHead,
    int rows,
    int fromRow,
    int toRow,
    int group,
    float scale) {

  /** Elements of a head. */
  int headDim() {
    return spans.block(0).layout().headDim();
  }

  /** Query vectors to compute: all heads of the first row, then of the next. */
  int queries() {
    return Math.max(0, toRow - fromRow) * group;
  }

  /** How many tokens a query vector sees. */
  int seenBy(int query) {
    return Math.min(spans.length(), spans.length() - rows + fromRow + query / group + 1);
  }

  /** Where a query vector begins if the first row begins at {@code at}. */
  int place(int query, int at, int stride) {
    return at + query / group * stride + query % group * headDim();
  }
}
