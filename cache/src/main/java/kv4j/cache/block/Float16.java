package kv4j.cache.block;

/** The two 16-bit floating-point formats, rounding to nearest with halves to even. */
final class Float16 {
  private static final int SIGN = 0x8000;
  private static final int MAGNITUDE = 0x7FFFFFFF;
  private static final int FLOAT_INFINITY = 0x7F800000;

  /** Corrects the exponent when the bits of a half were read as those of a float. */
  private static final float REBIAS = 0x1p112f;

  private Float16() {}

  /** IEEE 754 binary16; 65520 and above become infinity. */
  static short toHalf(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & SIGN;
    int magnitude = bits & MAGNITUDE;
    if (magnitude >= 0x47800000) { // 2^16 and above
      int payload = magnitude > FLOAT_INFINITY ? 0x200 | magnitude >> 13 & 0x3FF : 0;
      return (short) (sign | 0x7C00 | payload);
    }
    if (magnitude < 0x38800000) { // below 2^-14: subnormal, a multiple of 2^-24
      // A float from 0.5 to 1 has units of 2^-24: the addition rounds.
      float sum = Float.intBitsToFloat(magnitude) + 0.5f;
      return (short) (sign | Float.floatToRawIntBits(sum) - 0x3F000000);
    }
    // Rebias the exponent by 112 and drop 13 bits; a carry out of the fraction is right as it is.
    int rounded = magnitude - (112 << 23) + 0xFFF + (magnitude >> 13 & 1);
    return (short) (sign | rounded >> 13);
  }

  static float fromHalf(short half) {
    // Read as a float's bits, every finite half, subnormal or not, is 2^112 times too small.
    float value = Float.intBitsToFloat((half & 0x7FFF) << 13) * REBIAS;
    int bits = Float.floatToRawIntBits(value) | (half & SIGN) << 16;
    return Float.intBitsToFloat(value >= 65536 ? bits | FLOAT_INFINITY : bits);
  }

  /** bfloat16: the upper half of a float. */
  static short toBrain(float value) {
    int bits = Float.floatToRawIntBits(value);
    if ((bits & MAGNITUDE) > FLOAT_INFINITY) {
      return (short) (bits >>> 16 | 0x40); // keep a NaN one
    }
    return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
  }

  static float fromBrain(short brain) {
    return Float.intBitsToFloat(brain << 16);
  }
}
