package kv4j.model.format.block;

/** Turns stored blocks of one type into floats. */
@FunctionalInterface
interface BlockExpander {
  /** Expands the first {@code count} blocks of {@code in} to the start of {@code out}. */
  void expand(byte[] in, int count, float[] out);
}
