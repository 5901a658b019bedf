package kv4j.inference.plan.step;

/**
 * One attention layer's dimensions.
 *
 * @param layer number of the layer, as the hook sees it
 * @param heads query heads
 * @param kvHeads key/value heads
 * @param headDim elements of a head
 * @param scale factor on scores
 */
record AttentionShape(int layer, int heads, int kvHeads, int headDim, float scale) {
  int queryColumns() {
    return heads * headDim;
  }

  int kvColumns() {
    return kvHeads * headDim;
  }

  /** Query heads that share a KV head. */
  int group() {
    return heads / kvHeads;
  }
}
