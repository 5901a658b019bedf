package kv4j.model.weight;

import kv4j.model.format.block.TensorType;

/**
 * The binary16 numbers of a type's block.
 *
 * @param count how many there are, next to each other
 * @param first where the first one begins: at the block's begin, or so that the last one ends it
 */
record BlockScales(int count, int first) {
  static BlockScales of(TensorType type) {
    return switch (type) {
      case F32, F16, BF16 -> new BlockScales(0, 0);
      case Q4_0, Q5_0, Q8_0 -> new BlockScales(1, 0);
      case Q4_1, Q5_1, Q4_K, Q5_K -> new BlockScales(2, 0);
      case Q6_K -> new BlockScales(1, type.blockBytes() - Short.BYTES);
    };
  }

  /** Bytes of all of them. */
  int bytes() {
    return count * Short.BYTES;
  }

  /** Where in the block one is. */
  int at(int scale) {
    return first + scale * Short.BYTES;
  }

  /** Where in the block its other bytes begin. */
  int skip() {
    return first == 0 ? bytes() : 0;
  }
}
