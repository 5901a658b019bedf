package kv4j.inference.kernel;

/**
 * The exponential function as all kernels compute it: {@code exp(x) = 2^n exp(r)} with {@code n}
 * the integer nearest to {@code x log2(e)}, found by adding a number so large that a float has no
 * room for fractions, and {@code exp(r)}, {@code |r| <= ln(2)/2}, by a polynomial.
 */
final class Exp {
  /** Below, the result is 0; so small a weight is none. */
  static final float LOWEST = -127 * 0.6931472f;

  /** Above, the result stays what it is here, 2.2e38. */
  static final float HIGHEST = 88.3f;

  static final float LOG2_E = 1.44269504f;

  /** 1.5 * 2^23 + 127: the sum's low bits are n + 127, the exponent field of the float 2^n. */
  static final float ROUND = 12582912f + 127;

  static final int EXPONENT_SHIFT = 23;

  /** ln(2) in two parts, the first with so few bits that n times it is exact. */
  static final float LN2_HIGH = 0.693359375f;

  static final float LN2_LOW = -2.12194440e-4f;

  /** Taylor's coefficients from r^6 down to r^2; the error is 2e-7 at most, rounding included. */
  static final float C6 = 1f / 720;

  static final float C5 = 1f / 120;
  static final float C4 = 1f / 24;
  static final float C3 = 1f / 6;
  static final float C2 = 1f / 2;

  /** {@code -2 sqrt(2/π)} and that times 0.044715: GELU's {@code x / (1 + exp(...))}. */
  static final float GELU_LINEAR = -1.5957691f;

  static final float GELU_CUBIC = -0.07135481f;

  private Exp() {}

  static float exp(float x) {
    float clamped = Math.min(Math.max(x, LOWEST), HIGHEST);
    float shifted = clamped * LOG2_E + ROUND;
    float n = shifted - ROUND;
    float r = clamped - n * LN2_HIGH - n * LN2_LOW;
    float p = ((((C6 * r + C5) * r + C4) * r + C3) * r + C2) * r * r + r + 1;
    return p * Float.intBitsToFloat(Float.floatToRawIntBits(shifted) << EXPONENT_SHIFT);
  }
}
