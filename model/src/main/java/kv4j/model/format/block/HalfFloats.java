package kv4j.model.format.block;

/** The two floating-point formats of 16 bits, stored with the lower byte first. */
final class HalfFloats {
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
  static float half(byte[] in, int at) {
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

  private static int bits(byte[] in, int at) {
    return in[at] & 0xFF | (in[at + 1] & 0xFF) << 8;
  }
}
