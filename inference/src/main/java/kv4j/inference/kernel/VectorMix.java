package kv4j.inference.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums of values weighted by the scores of a few query vectors at once on the Java Vector API, one
 * lane per dimension. Each value that is loaded serves several queries.
 *
 * <p>Every vector is a local variable of the method that uses it: held in an array or a field it
 * would be boxed.
 */
final class VectorMix {
  private static final VectorSpecies<Float> LANES = VectorKernels.LANES;
  private static final int L = LANES.length();

  /** Dimensions that {@link #mix8} and {@link #mix2} take at once. */
  static final int CHUNK = 2 * L;

  private VectorMix() {}

  /**
   * Adds {@link #CHUNK} dimensions of the values, weighted by the scores of 8 queries, to {@code
   * scratch.mixed}.
   *
   * @param at where the first query's sums begin there, {@code [8, headDim]}
   * @param dim first dimension
   * @param fromSpan the span whose first token is the first
   * @param visible how many tokens
   */
  static void mix8(
      AttentionScratch scratch, int at, int headDim, int dim, int fromSpan, int visible) {
    for (int span = fromSpan, first = 0; first < visible; span += 2) {
      int count = Math.min(scratch.tokens[span], visible - first);
      int next = first + scratch.tokens[span];
      int more = next < visible ? Math.min(scratch.tokens[span + 1], visible - next) : 0;
      int other = more > 0 ? span + 1 : span;
      mixSpans8(
          scratch.values[span],
          scratch.valuesAt[span] + dim,
          count,
          scratch.values[other],
          scratch.valuesAt[other] + dim,
          more,
          headDim,
          scratch.scores,
          first,
          scratch.scoresStride,
          scratch.mixed,
          at + dim);
      first = next + more;
    }
  }

  /**
   * Two neighbouring spans' share. The sums rest in an array between calls: carried in local
   * variables through two nested loops they would be boxed.
   */
  private static void mixSpans8(
      float[] values,
      int value,
      int count,
      float[] moreValues,
      int moreValue,
      int more,
      int headDim,
      float[] weights,
      int weight,
      int stride,
      float[] out,
      int at) {
    FloatVector a0 = FloatVector.fromArray(LANES, out, at + 0 * headDim);
    FloatVector a1 = FloatVector.fromArray(LANES, out, at + 0 * headDim + L);
    FloatVector b0 = FloatVector.fromArray(LANES, out, at + 1 * headDim);
    FloatVector b1 = FloatVector.fromArray(LANES, out, at + 1 * headDim + L);
    FloatVector c0 = FloatVector.fromArray(LANES, out, at + 2 * headDim);
    FloatVector c1 = FloatVector.fromArray(LANES, out, at + 2 * headDim + L);
    FloatVector d0 = FloatVector.fromArray(LANES, out, at + 3 * headDim);
    FloatVector d1 = FloatVector.fromArray(LANES, out, at + 3 * headDim + L);
    FloatVector e0 = FloatVector.fromArray(LANES, out, at + 4 * headDim);
    FloatVector e1 = FloatVector.fromArray(LANES, out, at + 4 * headDim + L);
    FloatVector f0 = FloatVector.fromArray(LANES, out, at + 5 * headDim);
    FloatVector f1 = FloatVector.fromArray(LANES, out, at + 5 * headDim + L);
    FloatVector g0 = FloatVector.fromArray(LANES, out, at + 6 * headDim);
    FloatVector g1 = FloatVector.fromArray(LANES, out, at + 6 * headDim + L);
    FloatVector h0 = FloatVector.fromArray(LANES, out, at + 7 * headDim);
    FloatVector h1 = FloatVector.fromArray(LANES, out, at + 7 * headDim + L);
    for (int t = 0; t < count; t++) {
      FloatVector v0 = FloatVector.fromArray(LANES, values, value + t * headDim);
      FloatVector v1 = FloatVector.fromArray(LANES, values, value + t * headDim + L);
      FloatVector x = FloatVector.broadcast(LANES, weights[weight + t]);
      a0 = v0.fma(x, a0);
      a1 = v1.fma(x, a1);
      x = FloatVector.broadcast(LANES, weights[weight + 1 * stride + t]);
      b0 = v0.fma(x, b0);
      b1 = v1.fma(x, b1);
      x = FloatVector.broadcast(LANES, weights[weight + 2 * stride + t]);
      c0 = v0.fma(x, c0);
      c1 = v1.fma(x, c1);
      x = FloatVector.broadcast(LANES, weights[weight + 3 * stride + t]);
      d0 = v0.fma(x, d0);
      d1 = v1.fma(x, d1);
      x = FloatVector.broadcast(LANES, weights[weight + 4 * stride + t]);
      e0 = v0.fma(x, e0);
      e1 = v1.fma(x, e1);
      x = FloatVector.broadcast(LANES, weights[weight + 5 * stride + t]);
      f0 = v0.fma(x, f0);
      f1 = v1.fma(x, f1);
      x = FloatVector.broadcast(LANES, weights[weight + 6 * stride + t]);
      g0 = v0.fma(x, g0);
      g1 = v1.fma(x, g1);
      x = FloatVector.broadcast(LANES, weights[weight + 7 * stride + t]);
      h0 = v0.fma(x, h0);
      h1 = v1.fma(x, h1);
    }
    int moreWeight = weight + count;
    for (int t = 0; t < more; t++) {
      FloatVector v0 = FloatVector.fromArray(LANES, moreValues, moreValue + t * headDim);
      FloatVector v1 = FloatVector.fromArray(LANES, moreValues, moreValue + t * headDim + L);
      FloatVector x = FloatVector.broadcast(LANES, weights[moreWeight + t]);
      a0 = v0.fma(x, a0);
      a1 = v1.fma(x, a1);
      x = FloatVector.broadcast(LANES, weights[moreWeight + 1 * stride + t]);
      b0 = v0.fma(x, b0);
      b1 = v1.fma(x, b1);
      x = FloatVector.broadcast(LANES, weights[moreWeight + 2 * stride + t]);
      c0 = v0.fma(x, c0);
      c1 = v1.fma(x, c1);
      x = FloatVector.broadcast(LANES, weights[moreWeight + 3 * stride + t]);
      d0 = v0.fma(x, d0);
      d1 = v1.fma(x, d1);
      x = FloatVector.broadcast(LANES, weights[moreWeight + 4 * stride + t]);
      e0 = v0.fma(x, e0);
      e1 = v1.fma(x, e1);
      x = FloatVector.broadcast(LANES, weights[moreWeight + 5 * stride + t]);
      f0 = v0.fma(x, f0);
      f1 = v1.fma(x, f1);
      x = FloatVector.broadcast(LANES, weights[moreWeight + 6 * stride + t]);
      g0 = v0.fma(x, g0);
      g1 = v1.fma(x, g1);
      x = FloatVector.broadcast(LANES, weights[moreWeight + 7 * stride + t]);
      h0 = v0.fma(x, h0);
      h1 = v1.fma(x, h1);
    }
    a0.intoArray(out, at + 0 * headDim);
    a1.intoArray(out, at + 0 * headDim + L);
    b0.intoArray(out, at + 1 * headDim);
    b1.intoArray(out, at + 1 * headDim + L);
    c0.intoArray(out, at + 2 * headDim);
    c1.intoArray(out, at + 2 * headDim + L);
    d0.intoArray(out, at + 3 * headDim);
    d1.intoArray(out, at + 3 * headDim + L);
    e0.intoArray(out, at + 4 * headDim);
    e1.intoArray(out, at + 4 * headDim + L);
    f0.intoArray(out, at + 5 * headDim);
    f1.intoArray(out, at + 5 * headDim + L);
    g0.intoArray(out, at + 6 * headDim);
    g1.intoArray(out, at + 6 * headDim + L);
    h0.intoArray(out, at + 7 * headDim);
    h1.intoArray(out, at + 7 * headDim + L);
  }

  /** As {@link #mix8} for the first 2 queries. */
  static void mix2(
      AttentionScratch scratch, int at, int headDim, int dim, int fromSpan, int visible) {
    for (int span = fromSpan, first = 0; first < visible; first += scratch.tokens[span++]) {
      int count = Math.min(scratch.tokens[span], visible - first);
      int value = scratch.valuesAt[span] + dim;
      mixSpan2(
          scratch.values[span],
          value,
          headDim,
          count,
          scratch.scores,
          first,
          scratch.scoresStride,
          scratch.mixed,
          at + dim);
    }
  }

  /** Even and odd tokens are summed apart, so that additions wait less for each other. */
  private static void mixSpan2(
      float[] values,
      int value,
      int headDim,
      int count,
      float[] weights,
      int weight,
      int stride,
      float[] out,
      int at) {
    FloatVector a0 = FloatVector.fromArray(LANES, out, at);
    FloatVector a1 = FloatVector.fromArray(LANES, out, at + L);
    FloatVector b0 = FloatVector.fromArray(LANES, out, at + headDim);
    FloatVector b1 = FloatVector.fromArray(LANES, out, at + headDim + L);
    FloatVector c0 = FloatVector.zero(LANES), c1 = c0, d0 = c0, d1 = c0;
    int even = count & ~1;
    for (int t = 0; t < even; t += 2) {
      FloatVector v0 = FloatVector.fromArray(LANES, values, value + t * headDim);
      FloatVector v1 = FloatVector.fromArray(LANES, values, value + t * headDim + L);
      FloatVector w = FloatVector.broadcast(LANES, weights[weight + t]);
      a0 = v0.fma(w, a0);
      a1 = v1.fma(w, a1);
      w = FloatVector.broadcast(LANES, weights[weight + stride + t]);
      b0 = v0.fma(w, b0);
      b1 = v1.fma(w, b1);
      v0 = FloatVector.fromArray(LANES, values, value + t * headDim + headDim);
      v1 = FloatVector.fromArray(LANES, values, value + t * headDim + headDim + L);
      w = FloatVector.broadcast(LANES, weights[weight + t + 1]);
      c0 = v0.fma(w, c0);
      c1 = v1.fma(w, c1);
      w = FloatVector.broadcast(LANES, weights[weight + stride + t + 1]);
      d0 = v0.fma(w, d0);
      d1 = v1.fma(w, d1);
    }
    if (even < count) {
      FloatVector v0 = FloatVector.fromArray(LANES, values, value + even * headDim);
      FloatVector v1 = FloatVector.fromArray(LANES, values, value + even * headDim + L);
      FloatVector w = FloatVector.broadcast(LANES, weights[weight + even]);
      a0 = v0.fma(w, a0);
      a1 = v1.fma(w, a1);
      w = FloatVector.broadcast(LANES, weights[weight + stride + even]);
      b0 = v0.fma(w, b0);
      b1 = v1.fma(w, b1);
    }
    a0.add(c0).intoArray(out, at);
    a1.add(c1).intoArray(out, at + L);
    b0.add(d0).intoArray(out, at + headDim);
    b1.add(d1).intoArray(out, at + headDim + L);
  }
}
