package kv4j.model.family;

import java.util.List;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;

/**
 * What is known of a model before its weights are read.
 *
 * @param name for people
 * @param format of the file
 * @param config its shape, with the context it is loaded for
 * @param unknownKeys what the file says of the model that kv4j does not know, and takes to be
 *     without effect
 */
public record ModelInfo(
    String name, String format, Family family, TransformerConfig config, List<String> unknownKeys) {
  /** Most rows of a pass where nobody asks for another number. */
  public static final int PASS_ROWS = 512;

  /** Most rows of a pass in which each thread has a part of every sum. */
  private static final int SHORT_PASS_ROWS = 127;

  /** Copies the list. */
  public ModelInfo {
    unknownKeys = List.copyOf(unknownKeys);
  }

  /** Bytes of the weights in memory. */
  public long weightBytes() {
    return config.parameters() * Float.BYTES;
  }

  /**
   * Bytes of what a forward pass of some rows computes with on some threads, beside weights and a
   * cache: the values of a layer, one row of logits, and parts of sums.
   */
  public long workingBytes(int rows, int threads) {
    long queries = (long) config.heads() * config.headDim();
    long keys = (long) config.kvHeads() * config.headDim();
    long stream = 3L * config.dim() + config.qkvDim() + queries + 2 * keys + 2 * queries;
    long wide = config.upDim() + (long) config.ffnDim();
    long widest = Math.max(Math.max(config.qkvDim(), config.upDim()), config.dim());
    long parts = Math.max(Math.min(rows, SHORT_PASS_ROWS) * widest, config.vocabulary());
    return (rows * (stream + wide) + config.vocabulary() + (threads - 1) * parts) * Float.BYTES;
  }

  /**
   * Bytes the model takes in memory when it runs: its weights, tables of its positions once in its
   * graph and once in the engine, and what passes of {@value #PASS_ROWS} rows compute with. A cache
   * of keys and values has a limit of its own.
   */
  public long bytes() {
    long tables =
        config.positions() instanceof Positions.Rotary
            ? (long) config.context() * config.headDim() * Float.BYTES
            : 0;
    return weightBytes()
        + 2 * tables
        + workingBytes(PASS_ROWS, Runtime.getRuntime().availableProcessors());
  }
}
