package kv4j.model.family;

import kv4j.model.format.ModelFileException;
import kv4j.model.format.TensorSource;

/**
 * How to load a model.
 *
 * @param maxContext most tokens a sequence will have; the model's own context if that is less
 * @param maxBytes most memory the model may take
 * @param weights how matrices of weights are kept
 */
public record LoadOptions(int maxContext, long maxBytes, Weights weights) {
  /** How matrices of weights are kept in memory. The results are the same. */
  public enum Weights {
    /** In the bits that the file has. */
    STORED,
    /** As floats of 32 bits. */
    F32
  }

  /** As much as the model has, whatever it takes, weights as they are stored. */
  public static final LoadOptions ALL = new LoadOptions(Integer.MAX_VALUE, Long.MAX_VALUE);

  /** With weights as they are stored. */
  public LoadOptions(int maxContext, long maxBytes) {
    this(maxContext, maxBytes, Weights.STORED);
  }

  public LoadOptions {
    if (maxContext < 1 || maxBytes < 1) {
      throw new IllegalArgumentException(
          "a model needs a context and memory, not "
              + maxContext
              + " tokens, "
              + maxBytes
              + " bytes");
    }
  }

  int context(int ofModel) {
    return Math.min(ofModel, maxContext);
  }

  /**
   * Refuses a model whose attention is limited to fewer tokens than it is to be used with.
   *
   * @throws ModelFileException if so
   */
  void requireWindow(TensorSource source, int window, int context) {
    if (window < context) {
      throw new ModelFileException(
          source.origin(),
          "its attention is limited to a sliding window of "
              + window
              + " tokens, which is supported only for a context of at most "
              + window
              + ", not "
              + context);
    }
  }
}
