package kv4j.model.format.block;

import static kv4j.model.format.block.HalfFloats.half;

/**
 * Blocks of 256 elements whose groups have scales of their own: Q4_K, Q5_K and Q6_K as ggml defines
 * them.
 */
final class SuperBlocks {
  static final int ELEMENTS = 256;

  private static final int GROUP = 32;

  private SuperBlocks() {}

  /**
   * Scale and minimum (binary16), 12 bytes of scales and minima of 8 groups of 32, then the
   * elements' four bits.
   */
  static void q4k(byte[] in, int count, float[] out) {
    for (int block = 0; block < count; block++) {
      int at = block * 144;
      for (int group = 0; group < 8; group++) {
        int to = block * ELEMENTS + group * GROUP;
        int pairs = at + 16 + group / 2 * GROUP;
        for (int i = 0; i < GROUP; i++) {
          out[to + i] = fourBits(in[pairs + i], group);
        }
        scaleGroup(in, at, group, out, to);
      }
    }
  }

  /** As Q4_K, with the elements' fifth bits before the four: bit {@code g} is of group g. */
  static void q5k(byte[] in, int count, float[] out) {
    for (int block = 0; block < count; block++) {
      int at = block * 176;
      for (int group = 0; group < 8; group++) {
        int to = block * ELEMENTS + group * GROUP;
        int pairs = at + 48 + group / 2 * GROUP;
        for (int i = 0; i < GROUP; i++) {
          int fifth = in[at + 16 + i] >> group & 1;
          out[to + i] = fourBits(in[pairs + i], group) | fifth << 4;
        }
        scaleGroup(in, at, group, out, to);
      }
    }
  }

  /** Two groups share 32 bytes: the even one has the lower halves. */
  private static int fourBits(byte pair, int group) {
    return pair >> 4 * (group & 1) & 15;
  }

  /** {@code scale * groupScale * q - minimum * groupMinimum}. */
  private static void scaleGroup(byte[] in, int at, int group, float[] out, int to) {
    float scale = half(in, at) * sixBits(in, at + 4, group, 0);
    float minimum = half(in, at + 2) * sixBits(in, at + 4, group, 4);
    for (int i = to; i < to + GROUP; i++) {
      out[i] = scale * out[i] - minimum;
    }
  }

  /**
   * One of the 8 scales ({@code first} 0) or minima ({@code first} 4) in 12 bytes. The lower six
   * bits of bytes 0 to 7 are the first four of each; bytes 8 to 11 have the lower four bits of the
   * last four, scales below minima, whose upper two are the upper two of bytes 0 to 7.
   */
  private static int sixBits(byte[] in, int at, int group, int first) {
    if (group < 4) {
      return in[at + first + group] & 63;
    }
    int lower = in[at + 4 + group] >> first & 15;
    int upper = in[at + first + group - 4] >> 6 & 3;
    return lower | upper << 4;
  }

  /**
   * {@code scale * groupScale * (q - 32)}: 128 bytes of lower four bits, 64 of upper two, 16 signed
   * scales of groups of 16, and the block's scale (binary16). Either half of the block, 128
   * elements, is four runs of 32: bytes {@code i} and {@code i + 32} have the lower bits of runs 0
   * and 1 below those of 2 and 3; byte {@code i} has the upper bits of runs 0 to 3, lowest first.
   */
  static void q6k(byte[] in, int count, float[] out) {
    for (int block = 0; block < count; block++) {
      int at = block * 210;
      float scale = half(in, at + 208);
      for (int run = 0; run < 8; run++) {
        int side = run / 4;
        int inSide = run % 4;
        int lower = at + side * 64 + (inSide & 1) * 32;
        int upper = at + 128 + side * 32;
        for (int i = 0; i < 32; i++) {
          int q = in[lower + i] >> 4 * (inSide / 2) & 15 | (in[upper + i] >> 2 * inSide & 3) << 4;
          float groupScale = scale * in[at + 192 + run * 2 + i / 16];
          out[block * ELEMENTS + run * 32 + i] = groupScale * (q - 32);
        }
      }
    }
  }
}
