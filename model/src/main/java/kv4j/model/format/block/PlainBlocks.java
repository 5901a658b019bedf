package kv4j.model.format.block;

import static kv4j.model.format.block.HalfFloats.half;

/**
 * Blocks of 32 elements of one scale: Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0 as ggml defines them.
 *
 * <p>A block is a binary16 scale, for the types {@code _1} a binary16 minimum, for five bits the
 * fifth bit of each element (32 bits, lower byte first), and the elements: byte {@code i} has the
 * lower four bits of element {@code i} below those of element {@code i + 16}; eight bits are a
 * signed byte each.
 */
final class PlainBlocks {
  static final int ELEMENTS = 32;

  private PlainBlocks() {}

  /** {@code scale * (q - 8)}. */
  static void q40(byte[] in, int count, float[] out) {
    for (int block = 0; block < count; block++) {
      int at = block * 18;
      scaled(in, at + 2, half(in, at), 0, 8, out, block * ELEMENTS);
    }
  }

  /** {@code scale * q + minimum}. */
  static void q41(byte[] in, int count, float[] out) {
    for (int block = 0; block < count; block++) {
      int at = block * 20;
      scaled(in, at + 4, half(in, at), 0, 0, out, block * ELEMENTS);
      raise(half(in, at + 2), out, block * ELEMENTS);
    }
  }

  /** {@code scale * (q - 16)}. */
  static void q50(byte[] in, int count, float[] out) {
    for (int block = 0; block < count; block++) {
      int at = block * 22;
      scaled(in, at + 6, half(in, at), fifthBits(in, at + 2), 16, out, block * ELEMENTS);
    }
  }

  /** {@code scale * q + minimum}. */
  static void q51(byte[] in, int count, float[] out) {
    for (int block = 0; block < count; block++) {
      int at = block * 24;
      scaled(in, at + 8, half(in, at), fifthBits(in, at + 4), 0, out, block * ELEMENTS);
      raise(half(in, at + 2), out, block * ELEMENTS);
    }
  }

  /** {@code scale * q}. */
  static void q80(byte[] in, int count, float[] out) {
    for (int block = 0; block < count; block++) {
      int at = block * 34;
      float scale = half(in, at);
      for (int i = 0; i < ELEMENTS; i++) {
        out[block * ELEMENTS + i] = scale * in[at + 2 + i];
      }
    }
  }

  private static void scaled(
      byte[] in, int at, float scale, int fifthBits, int zero, float[] out, int to) {
    for (int i = 0; i < ELEMENTS / 2; i++) {
      int pair = in[at + i];
      int first = pair & 15 | (fifthBits >>> i & 1) << 4;
      int second = pair >> 4 & 15 | (fifthBits >>> i + 16 & 1) << 4;
      out[to + i] = scale * (first - zero);
      out[to + i + 16] = scale * (second - zero);
    }
  }

  private static void raise(float minimum, float[] out, int to) {
    for (int i = to; i < to + ELEMENTS; i++) {
      out[i] += minimum;
    }
  }

  private static int fifthBits(byte[] in, int at) {
    return in[at] & 0xFF
        | (in[at + 1] & 0xFF) << 8
        | (in[at + 2] & 0xFF) << 16
        | (in[at + 3] & 0xFF) << 24;
  }
}
