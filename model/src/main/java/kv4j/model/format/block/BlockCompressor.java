package kv4j.model.format.block;

/** Turns floats into stored blocks of one type: the inverse of a {@link BlockExpander}. */
@FunctionalInterface
interface BlockCompressor {
  /**
   * Stores the start of {@code in} as the first {@code count} blocks of {@code out}.
   *
   * @param in finite numbers, none larger than {@link TensorType#largest}
   */
  void compress(float[] in, int count, byte[] out);
}
