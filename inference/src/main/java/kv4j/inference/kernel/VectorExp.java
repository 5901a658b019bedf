package kv4j.inference.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Exponentials of numbers in arrays: {@link Exp#exp} in every lane. Limits are compared as
 * integers, which takes one instruction where floats, for the sake of NaN, take seven.
 */
final class VectorExp {
  private static final VectorSpecies<Float> LANES = VectorKernels.LANES;
  private static final int L = LANES.length();

  private VectorExp() {}

  /** Replaces numbers, whole vectors of them, by their exponentials; NaN counts as infinite. */
  static void exp(float[] x, int from, int to) {
    for (int i = from; i < to; i += L) {
      FloatVector v = FloatVector.fromArray(LANES, x, i);
      IntVector bits = v.reinterpretAsInts();
      FloatVector clamped =
          bits.and(Integer.MAX_VALUE)
              .min(Float.floatToRawIntBits(Exp.LIMIT))
              .or(bits.and(Integer.MIN_VALUE))
              .reinterpretAsFloats();
      FloatVector shifted =
          clamped.fma(
              FloatVector.broadcast(LANES, Exp.LOG2_E), FloatVector.broadcast(LANES, Exp.ROUND));
      FloatVector n = shifted.sub(Exp.ROUND);
      FloatVector r =
          n.fma(
              FloatVector.broadcast(LANES, -Exp.LN2_LOW),
              n.fma(FloatVector.broadcast(LANES, -Exp.LN2_HIGH), clamped));
      FloatVector p = FloatVector.broadcast(LANES, Exp.C5);
      p = p.fma(r, FloatVector.broadcast(LANES, Exp.C4));
      p = p.fma(r, FloatVector.broadcast(LANES, Exp.C3));
      p = p.fma(r, FloatVector.broadcast(LANES, Exp.C2));
      p = p.fma(r, FloatVector.broadcast(LANES, Exp.C1));
      p = p.fma(r, FloatVector.broadcast(LANES, 1));
      p.mul(
              shifted
                  .reinterpretAsInts()
                  .lanewise(VectorOperators.LSHL, Exp.EXPONENT_SHIFT)
                  .reinterpretAsFloats())
          .intoArray(x, i);
    }
  }

  /**
   * Replaces scores by {@code exp(score - top)}, where top is at least as large, and adds them to
   * sums, lane by lane. Less to do than {@link #exp}, and all that a softmax needs; the last bits
   * differ where the result is below 1e-4.
   *
   * @param step from one vector of scores to the next
   * @param count how many vectors
   */
  static void weigh(
      float[] scores,
      int from,
      int step,
      int count,
      float[] tops,
      int topsAt,
      float[] sums,
      int sumsAt) {
    FloatVector top = FloatVector.fromArray(LANES, tops, topsAt);
    FloatVector sum = FloatVector.fromArray(LANES, sums, sumsAt);
    for (int i = 0; i < count; i++) {
      int at = from + i * step;
      FloatVector x = top.sub(FloatVector.fromArray(LANES, scores, at));
      FloatVector clamped =
          x.reinterpretAsInts().min(Float.floatToRawIntBits(Exp.LIMIT)).reinterpretAsFloats();
      FloatVector shifted =
          clamped.fma(
              FloatVector.broadcast(LANES, -Exp.LOG2_E), FloatVector.broadcast(LANES, Exp.ROUND));
      FloatVector n = shifted.sub(Exp.ROUND);
      FloatVector r = n.fma(FloatVector.broadcast(LANES, Exp.LN2), clamped);
      FloatVector p = FloatVector.broadcast(LANES, -Exp.C5);
      p = p.fma(r, FloatVector.broadcast(LANES, Exp.C4));
      p = p.fma(r, FloatVector.broadcast(LANES, -Exp.C3));
      p = p.fma(r, FloatVector.broadcast(LANES, Exp.C2));
      p = p.fma(r, FloatVector.broadcast(LANES, -Exp.C1));
      p = p.fma(r, FloatVector.broadcast(LANES, 1));
      FloatVector weight =
          p.mul(
              shifted
                  .reinterpretAsInts()
                  .lanewise(VectorOperators.LSHL, Exp.EXPONENT_SHIFT)
                  .reinterpretAsFloats());
      weight.intoArray(scores, at);
      sum = sum.add(weight);
    }
    sum.intoArray(sums, sumsAt);
  }
}
