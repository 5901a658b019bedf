package kv4j.model;

/**
 * What a model takes in memory when a fused graph of it runs, in bytes: weights, keys and values in
 * caches, and the arena that forward passes compute in. The one place that says so.
 *
 * <ul>
 *   <li>{@link #weights}: outside the Java heap.
 *   <li>Keys and values, on the heap: {@code 2 * layers * kvHeads * (headDim * bytes of an element
 *       + bytes of a scale)} for each token of every block that is kept or that a running sequence
 *       fills, both of which a cache's limit holds for.
 *   <li>{@link #matrices} outside the heap and {@link #heads} on it: the arena. Every layer and
 *       every pass use the same one, so that it does not grow with the layers.
 * </ul>
 *
 * Beside that there are the logits asked for, twice; copies of what is small, which are norms'
 * gains and the tables of rotary positions, on the heap; and each worker's scratch. Of the arena's
 * widths that are equal some share memory, and it takes less.
 *
 * @param config shape of the model
 */
public record MemoryFormula(TransformerConfig config) {
  /** Most rows of a pass in which each thread has a part of every sum. */
  public static final int SHORT_PASS_ROWS = 127;

  /** Weights, and the constants of rotary positions in the graph. */
  public long weights() {
    long elements = config.parameters();
    if (config.positions() instanceof Positions.Rotary) {
      long headDim = config.headDim();
      long rotated = (config.heads() + config.kvHeads()) * headDim;
      elements += config.context() * headDim + headDim / 2 * rotated + headDim * headDim;
    }
    return Float.BYTES * elements;
  }

  /** Tables of rotary positions once more, on the heap. */
  public long tables() {
    return config.positions() instanceof Positions.Rotary
        ? (long) Float.BYTES * config.context() * config.headDim()
        : 0;
  }

  /**
   * The arena's matrices: the residual stream and its normed copy, another with learned positions,
   * attention's result, and what the projections give; logits; and each thread's parts of sums but
   * the first one's.
   *
   * @param rows of the longest pass so far: at most a chunk for each sequence in it
   * @param logitRows the most logits asked for in one: one for each sequence
   */
  public long matrices(int rows, int logitRows, int threads) {
    int streams = config.positions() instanceof Positions.Rotary ? 2 : 3;
    long columns =
        (long) streams * config.dim()
            + (long) config.heads() * config.headDim()
            + config.qkvDim()
            + config.upDim()
            + config.ffnDim();
    long logits = (long) logitRows * config.vocabulary();
    long widest = Math.max(Math.max(config.qkvDim(), config.upDim()), config.dim());
    long part = Math.min(rows, SHORT_PASS_ROWS) * widest;
    if (!config.tiedOutput()) {
      part = Math.max(part, logits);
    }
    return Float.BYTES * (rows * columns + logits + (threads - 1) * part);
  }

  /** The arena's queries, keys and values by head, and attention's result. */
  public long heads(int rows) {
    return (long) Float.BYTES * rows * 2 * (config.heads() + config.kvHeads()) * config.headDim();
  }

  /** All of the arena. */
  public long arena(int rows, int logitRows, int threads) {
    return matrices(rows, logitRows, threads) + heads(rows);
  }
}
