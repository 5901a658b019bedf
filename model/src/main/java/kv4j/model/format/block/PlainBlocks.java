package kv4j.model.format.block;

import static kv4j.model.format.block.HalfFloats.half;
import static kv4j.model.format.block.HalfFloats.putHalf;

/**
 * Blocks of 32 elements of one scale: Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0 as ggml defines them.
 *
 * <p>A block is a binary16 scale, for the types {@code _1} a binary16 minimum, for five bits the
 * fifth bit of each element (32 bits, lower byte first), and the elements: byte {@code i} has the
 * lower four bits of element {@code i} below those of element {@code i + 16}; eight bits are a
 * signed byte each.
 *
 * <p>Q4_0 and Q8_0 are written as well, with the bits that ggml's {@code quantize_row_q4_0_ref} and
 * {@code quantize_row_q8_0_ref} give where each of their operations rounds to a float, as C has it
 * unless a compiler fuses products and sums. Elements are divided by the scale before it is rounded
 * to binary16, so where that rounds it, what comes back is off by a little more than half a step.
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

  /**
   * The scale is an eighth of the element that is farthest from 0, negated, so that this one is -8
   * steps; of several as far the first counts. The other end has 7 steps only: what is nearer to 8
   * becomes 7.
   */
  static void toQ40(float[] in, int count, byte[] out) {
    for (int block = 0; block < count; block++) {
      int from = block * ELEMENTS;
      int to = block * 18;
      float scale = farthest(in, from) / -8;
      float inverse = inverse(scale);
      putHalf(scale, out, to);
      for (int i = 0; i < ELEMENTS / 2; i++) {
        int first = fourBits(in[from + i] * inverse);
        int second = fourBits(in[from + i + ELEMENTS / 2] * inverse);
        out[to + 2 + i] = (byte) (first | second << 4);
      }
    }
  }

  /** The scale makes the element that is farthest from 0 127 steps; halves round away from 0. */
  static void toQ80(float[] in, int count, byte[] out) {
    for (int block = 0; block < count; block++) {
      int from = block * ELEMENTS;
      int to = block * 34;
      float scale = Math.abs(farthest(in, from)) / 127;
      float inverse = inverse(scale);
      putHalf(scale, out, to);
      for (int i = 0; i < ELEMENTS; i++) {
        float steps = in[from + i] * inverse;
        int whole = (int) steps;
        // Both the fraction and its double are exact, which a sum with 0.5 would not always be.
        out[to + 2 + i] = (byte) (whole + (int) ((steps - whole) * 2));
      }
    }
  }

  private static float farthest(float[] in, int from) {
    float distance = 0;
    float farthest = 0;
    for (int i = from; i < from + ELEMENTS; i++) {
      float size = Math.abs(in[i]);
      if (size > distance) {
        distance = size;
        farthest = in[i];
      }
    }
    return farthest;
  }

  /**
   * 0 for a scale of 0, and for one so small that its inverse is no float. What ggml's C makes of
   * infinity is not defined; as the scale is 0 in binary16, all elements come back as 0 anyway.
   */
  private static float inverse(float scale) {
    float inverse = 1 / scale;
    return Float.isInfinite(inverse) ? 0 : inverse;
  }

  /** Steps from -8, rounded; the product with the inverse may be a hair outside of its range. */
  private static int fourBits(float steps) {
    return Math.min(15, (int) (steps + 8.5f));
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
