package kv4j.inference.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums of values weighted by the scores of a batch of query vectors on the Java Vector API, one
 * lane per dimension. Each value that is loaded serves 8 queries.
 *
 * <p>Every vector is a local variable of the method that uses it: held in an array or a field it
 * would be boxed.
 */
final class VectorMix {
  private static final VectorSpecies<Float> LANES = VectorKernels.LANES;
  private static final int L = LANES.length();

  /** Dimensions computed at once. */
  static final int CHUNK = 2 * L;

  /** Queries computed at once; a batch is a whole number of them, perhaps with some to spare. */
  static final int QUERIES = 8;

  /** From a token's weights to the next one's. */
  private static final int STRIDE = VectorScores.QUERIES;

  private VectorMix() {}

  /**
   * Adds {@link #CHUNK} dimensions of the values, weighted by the scores of {@link #QUERIES}
   * queries, to {@code scratch.mixed}.
   *
   * @param lane the first query's place in the batch
   * @param at where its sum of the first of these dimensions is, {@code [QUERIES, headDim]}
   * @param dim first dimension
   * @param fromSpan the span whose first token is the first
   * @param visible how many tokens
   */
  static void mix(
      AttentionScratch scratch, int lane, int at, int headDim, int dim, int fromSpan, int visible) {
    for (int span = fromSpan, first = 0; first < visible; first += scratch.tokens[span++]) {
      mixSpan(
          scratch.values[span],
          scratch.valuesAt[span] + dim,
          Math.min(scratch.tokens[span], visible - first),
          headDim,
          scratch.scores,
          lane + first * STRIDE,
          scratch.mixed,
          at);
    }
  }

  /**
   * A span's share. The sums rest in an array between calls: carried in local variables through two
   * loops they would be boxed, at least now and then.
   */
  private static void mixSpan(
      float[] values,
      int value,
      int count,
      int headDim,
      float[] weights,
      int weight,
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
      FloatVector x = FloatVector.broadcast(LANES, weights[weight + t * STRIDE]);
      a0 = v0.fma(x, a0);
      a1 = v1.fma(x, a1);
      x = FloatVector.broadcast(LANES, weights[weight + t * STRIDE + 1]);
      b0 = v0.fma(x, b0);
      b1 = v1.fma(x, b1);
      x = FloatVector.broadcast(LANES, weights[weight + t * STRIDE + 2]);
      c0 = v0.fma(x, c0);
      c1 = v1.fma(x, c1);
      x = FloatVector.broadcast(LANES, weights[weight + t * STRIDE + 3]);
      d0 = v0.fma(x, d0);
      d1 = v1.fma(x, d1);
      x = FloatVector.broadcast(LANES, weights[weight + t * STRIDE + 4]);
      e0 = v0.fma(x, e0);
      e1 = v1.fma(x, e1);
      x = FloatVector.broadcast(LANES, weights[weight + t * STRIDE + 5]);
      f0 = v0.fma(x, f0);
      f1 = v1.fma(x, f1);
      x = FloatVector.broadcast(LANES, weights[weight + t * STRIDE + 6]);
      g0 = v0.fma(x, g0);
      g1 = v1.fma(x, g1);
      x = FloatVector.broadcast(LANES, weights[weight + t * STRIDE + 7]);
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
}
