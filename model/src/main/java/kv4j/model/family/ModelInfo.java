package kv4j.model.family;

import kv4j.model.Positions;
import kv4j.model.TransformerConfig;

/**
 * What is known of a model before its weights are read.
 *
 * @param name for people
 * @param format of the file
 * @param config its shape, with the context it is loaded for
 */
public record ModelInfo(String name, String format, Family family, TransformerConfig config) {
  /** Bytes of the weights in memory. */
  public long weightBytes() {
    return config.parameters() * Float.BYTES;
  }

  /** Bytes the model takes in memory: its weights, and tables of its positions. */
  public long bytes() {
    long tables =
        config.positions() instanceof Positions.Rotary
            ? (long) config.context() * config.headDim() * Float.BYTES
            : 0;
    return weightBytes() + tables;
  }
}
