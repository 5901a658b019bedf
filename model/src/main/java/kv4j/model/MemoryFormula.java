package kv4j.model;

/**
 * What a model takes in memory when a fused graph of it runs, in bytes: weights, keys and values in
 * caches, and the arena that forward passes compute in. The one place that says so. All of it but
 * constants of the graph lies on the Java heap.
 *
 * <ul>
 *   <li>Weights: each in the bits that the file has, in panels of {@value
 *       kv4j.model.weight.Panels#WIDTH} outputs, of which the last may be padding.
 *   <li>Keys and values: {@code 2 * layers * kvHeads * (headDim * bytes of an element + bytes of a
 *       scale)} for each token of every block that is kept or that a running sequence fills, both
 *       of which a cache's limit holds for.
 *   <li>{@link #arena}: every layer and every pass use the same one, so that it does not grow with
 *       the layers. Many requests at once take a second, smaller one, for short passes while a long
 *       one is left in the middle.
 * </ul>
 *
 * Beside that there are the logits asked for, twice; copies of what is small, which are norms'
 * gains and the tables of rotary positions; and each worker's scratch. Of the arena's widths that
 * are equal some share memory, and it takes less.
 *
 * @param config shape of the model
 */
public record MemoryFormula(TransformerConfig config) {
  /** The graph's constants of rotary positions, outside the Java heap. */
  public long constants() {
    if (!(config.positions() instanceof Positions.Rotary)) {
      return 0;
    }
    long headDim = config.headDim();
    long rotated = (config.heads() + config.kvHeads()) * headDim;
    long elements = config.context() * headDim + headDim / 2 * rotated + headDim * headDim;
    return Float.BYTES * elements;
  }

  /** Tables of rotary positions once more, on the heap. */
  public long tables() {
    return config.positions() instanceof Positions.Rotary
        ? (long) Float.BYTES * config.context() * config.headDim()
        : 0;
  }

  /**
   * The arena: the residual stream and its normed copy, another with learned positions, attention's
   * result, and what the projections give; queries, keys and values by head; and logits.
   *
   * <p>A pass that is left between layers keeps it, and those that run meanwhile have a second one,
   * for the longest of them.
   *
   * @param rows of the longest pass so far: at most a chunk for each sequence in it
   * @param logitRows the most logits asked for in one: one for each sequence
   */
  public long arena(int rows, int logitRows) {
    int streams = config.positions() instanceof Positions.Rotary ? 2 : 3;
    long columns =
        (long) streams * config.dim()
            + (long) config.heads() * config.headDim()
            + 2L * config.qkvDim()
            + config.upDim()
            + config.ffnDim();
    return Float.BYTES * (rows * columns + (long) logitRows * config.vocabulary());
  }
}
