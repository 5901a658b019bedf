package kv4j.model.format.block;

/** The two floating-point formats of 16 bits, stored with the lower byte first. */
public final class HalfFloats {
  /** The largest finite binary16. */
  static final float LARGEST = 65_504;

  /** Bits of the float 2^-14: halves below are subnormal. */
  private static final int SMALLEST_NORMAL_HALF = 0x38800000;

  /** Bits of the float 0.5. */
  private static final int HALF_BITS = 0x3F000000;

  private static final int INFINITY_BITS = 0x7F800000;

  private HalfFloats() {}

  /** IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
  static void f16(byte[] in, int count, float[] out) {
    for (int i = 0; i < count; i++) {
      out[i] = half(in, 2 * i);
    }
  }

  /** bfloat16: the upper half of a float. */
  static void bf16(byte[] in, int count, float[] out) {
    for (int i = 0; i < count; i++) {
      out[i] = Float.intBitsToFloat(bits(in, 2 * i) << 16);
    }
  }

  /** The binary16 value at an offset. */
  public static float half(byte[] in, int at) {
    int bits = bits(in, at);
    int sign = (bits & 0x8000) << 16;
    int exponent = bits >> 10 & 0x1F;
    int fraction = bits & 0x3FF;
    if (exponent == 0) { // zero or subnormal: a multiple of 2^-24
      float magnitude = fraction * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    // All ones stay all ones (infinity, NaN); any other exponent changes its bias, 15 to 127.
    int widened = exponent == 0x1F ? 0xFF : exponent + 112;
    return Float.intBitsToFloat(sign | widened << 23 | fraction << 13);
  }

  /** The nearest binary16 of each float. */
  static void toF16(float[] in, int count, byte[] out) {
    for (int i = 0; i < count; i++) {
      putHalf(in[i], out, 2 * i);
    }
  }

  /** Stores the nearest binary16 at an offset. */
  static void putHalf(float value, byte[] out, int at) {
    int bits = nearestHalf(value);
    out[at] = (byte) bits;
    out[at + 1] = (byte) (bits >> 8);
  }

  /**
   * The bits of the nearest binary16, of two as near the even one: what ggml's {@code
   * GGML_FP32_TO_FP16} gives, as do the instructions of processors that have them.
   */
  public static int nearestHalf(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    int magnitude = bits & 0x7FFFFFFF;
    if (magnitude < SMALLEST_NORMAL_HALF) {
      // Floats from 0.5 to 1 are 2^-24 apart, as subnormal halves are: the sum rounds to one.
      float sum = Float.intBitsToFloat(magnitude) + 0.5f;
      return sign | Float.floatToRawIntBits(sum) - HALF_BITS;
    }
    if (magnitude > INFINITY_BITS) {
      return sign | 0x7E00; // not a number
    }
    // 13 bits of the fraction go; the last one to stay decides where the others are just half of
    // it. What is carried out of the fraction goes into the exponent, where it belongs.
    int rounded = magnitude + 0xFFF + (magnitude >>> 13 & 1) >>> 13;
    return sign | Math.min(rounded - (112 << 10), 0x7C00);
  }

  private static int bits(byte[] in, int at) {
    return in[at] & 0xFF | (in[at + 1] & 0xFF) << 8;
  }
}
