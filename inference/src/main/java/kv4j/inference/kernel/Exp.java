package kv4j.inference.kernel;

/**
 * The exponential function as all kernels compute it: {@code exp(x) = 2^n exp(r)} with {@code n}
 * the integer nearest to {@code x log2(e)}, found by adding a number so large that a float has no
 * room for fractions, and {@code exp(r)}, {@code |r| <= ln(2)/2}, by a polynomial.
 */
final class Exp {
  /** Beyond, the result stays what it is here: 0 below, 1.7e38 above. So small a weight is none. */
  static final float LIMIT = 88.02f;

  static final float LOG2_E = 1.44269504f;

  /** 1.5 * 2^23 + 127: the sum's low bits are n + 127, the exponent field of the float 2^n. */
  static final float ROUND = 12582912f + 127;

  static final int EXPONENT_SHIFT = 23;

  /** ln(2) in two parts, the first with so few bits that n times it is exact. */
  static final float LN2_HIGH = 0.693359375f;

  static final float LN2_LOW = -2.12194440e-4f;

  static final float LN2 = 0.6931472f;

  /**
   * The polynomial's coefficients from r^5 down to r; that of 1 is 1. They minimise the largest
   * relative error, which is 9.2e-8 before rounding.
   */
  static final float C5 = 8.290322e-3f;

  static final float C4 = 4.1897947e-2f;
  static final float C3 = 1.6667636e-1f;
  static final float C2 = 4.9999149e-1f;
  static final float C1 = 9.9999971e-1f;

  /** {@code -2 sqrt(2/π)} and that times 0.044715: GELU's {@code x / (1 + exp(...))}. */
  static final float GELU_LINEAR = -1.5957691f;

  static final float GELU_CUBIC = -0.07135481f;

  private Exp() {}

  static float exp(float x) {
    float clamped = Math.min(Math.max(x, -LIMIT), LIMIT);
    float shifted = clamped * LOG2_E + ROUND;
    float n = shifted - ROUND;
    float r = clamped - n * LN2_HIGH - n * LN2_LOW;
    float p = ((((C5 * r + C4) * r + C3) * r + C2) * r + C1) * r + 1;
    return p * Float.intBitsToFloat(Float.floatToRawIntBits(shifted) << EXPONENT_SHIFT);
  }
}
