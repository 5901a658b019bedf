package kv4j.inference.kernel;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import kv4j.cache.block.KvLayout;

/**
 * Attention of a few query vectors at once on the Java Vector API: scores with one lane per token,
 * softmax, then values with one lane per dimension. Each key and value that is loaded serves
 * several queries.
 *
 * <p>Every vector is a local variable of the method that uses it: held in an array or a field it
 * would be boxed.
 */
final class VectorAttention {
  private static final VectorSpecies<Float> LANES = VectorKernels.LANES;
  private static final int L = LANES.length();
  private static final int TILE = KvLayout.TILE;
  private static final int QUERIES = AttentionScratch.QUERIES;

  /** Dimensions that {@link #mix4} and {@link #mix2} take at once. */
  static final int CHUNK = 2 * L;

  private VectorAttention() {}

  /**
   * Scores of 8 queries against the first {@code visible} tokens, and up to a vector beyond.
   * Queries are {@code scratch.queries}, {@code [headDim, 8]}.
   */
  static void score8(AttentionScratch scratch, int headDim, int visible) {
    float[] scores = scratch.scores;
    int stride = scratch.scoresStride;
    for (int span = 0, first = 0; first < visible; first += scratch.tokens[span++]) {
      int count = Math.min(scratch.tokens[span], visible - first);
      for (int t = 0; t < count; t += L) {
        int key = scratch.keysAt[span] + t / TILE * TILE * headDim + t % TILE;
        scoreTile8(scratch.queries, scratch.keys[span], key, headDim, scores, first + t, stride);
      }
    }
  }

  private static void scoreTile8(
      float[] queries, float[] keys, int key, int headDim, float[] scores, int at, int stride) {
    FloatVector a = FloatVector.zero(LANES), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    int q = 0;
    for (int i = 0; i < headDim; i++) {
      FloatVector k = FloatVector.fromArray(LANES, keys, key + i * TILE);
      a = k.fma(FloatVector.broadcast(LANES, queries[q]), a);
      b = k.fma(FloatVector.broadcast(LANES, queries[q + 1]), b);
      c = k.fma(FloatVector.broadcast(LANES, queries[q + 2]), c);
      d = k.fma(FloatVector.broadcast(LANES, queries[q + 3]), d);
      e = k.fma(FloatVector.broadcast(LANES, queries[q + 4]), e);
      f = k.fma(FloatVector.broadcast(LANES, queries[q + 5]), f);
      g = k.fma(FloatVector.broadcast(LANES, queries[q + 6]), g);
      h = k.fma(FloatVector.broadcast(LANES, queries[q + 7]), h);
      q += QUERIES;
    }
    a.intoArray(scores, at);
    b.intoArray(scores, at + stride);
    c.intoArray(scores, at + 2 * stride);
    d.intoArray(scores, at + 3 * stride);
    e.intoArray(scores, at + 4 * stride);
    f.intoArray(scores, at + 5 * stride);
    g.intoArray(scores, at + 6 * stride);
    h.intoArray(scores, at + 7 * stride);
  }

  /** Scores of the first 2 queries, as {@link #score8}. */
  static void score2(AttentionScratch scratch, int headDim, int visible) {
    float[] scores = scratch.scores;
    int stride = scratch.scoresStride;
    for (int span = 0, first = 0; first < visible; first += scratch.tokens[span++]) {
      int count = Math.min(scratch.tokens[span], visible - first);
      for (int t = 0; t < count; t += L) {
        int key = scratch.keysAt[span] + t / TILE * TILE * headDim + t % TILE;
        scoreTile2(scratch.queries, scratch.keys[span], key, headDim, scores, first + t, stride);
      }
    }
  }

  private static void scoreTile2(
      float[] queries, float[] keys, int key, int headDim, float[] scores, int at, int stride) {
    FloatVector a = FloatVector.zero(LANES), b = a;
    int q = 0;
    for (int i = 0; i < headDim; i++) {
      FloatVector k = FloatVector.fromArray(LANES, keys, key + i * TILE);
      a = k.fma(FloatVector.broadcast(LANES, queries[q]), a);
      b = k.fma(FloatVector.broadcast(LANES, queries[q + 1]), b);
      q += QUERIES;
    }
    a.intoArray(scores, at);
    b.intoArray(scores, at + stride);
  }

  /**
   * Turns one query's scores into {@code exp(score - largest)} in place and returns their sum.
   *
   * @param visible tokens this query sees; the scores from there to {@code end}, and up to two
   *     vectors beyond, become 0
   */
  static float softmax(float[] scores, int at, int visible, int end) {
    int stop = at + (end + 2 * L - 1) / (2 * L) * (2 * L);
    Arrays.fill(scores, at + visible, stop, Float.NEGATIVE_INFINITY);
    FloatVector maxA = FloatVector.fromArray(LANES, scores, at);
    FloatVector maxB = maxA;
    for (int t = at; t < stop; t += 2 * L) {
      maxA = maxA.max(FloatVector.fromArray(LANES, scores, t));
      maxB = maxB.max(FloatVector.fromArray(LANES, scores, t + L));
    }
    float largest = maxA.max(maxB).reduceLanes(VectorOperators.MAX);
    FloatVector sumA = FloatVector.zero(LANES);
    FloatVector sumB = sumA;
    for (int t = at; t < stop; t += 2 * L) {
      FloatVector a = VectorKernels.exp(FloatVector.fromArray(LANES, scores, t).sub(largest));
      a.intoArray(scores, t);
      sumA = sumA.add(a);
      FloatVector b = VectorKernels.exp(FloatVector.fromArray(LANES, scores, t + L).sub(largest));
      b.intoArray(scores, t + L);
      sumB = sumB.add(b);
    }
    return sumA.add(sumB).reduceLanes(VectorOperators.ADD);
  }

  /**
   * Sums {@link #CHUNK} dimensions of the values, weighted by the scores of 4 queries, into {@code
   * scratch.mixed}.
   *
   * @param query first of the 4
   * @param dim first dimension
   */
  static void mix4(AttentionScratch scratch, int query, int headDim, int dim, int visible) {
    int stride = scratch.scoresStride;
    int out = query * headDim + dim;
    for (int i = 0; i < 4; i++) {
      Arrays.fill(scratch.mixed, out + i * headDim, out + i * headDim + CHUNK, 0);
    }
    for (int span = 0, first = 0; first < visible; first += scratch.tokens[span++]) {
      int count = Math.min(scratch.tokens[span], visible - first);
      int value = scratch.valuesAt[span] + dim;
      int weight = query * stride + first;
      mixSpan4(
          scratch.values[span],
          value,
          headDim,
          count,
          scratch.scores,
          weight,
          stride,
          scratch.mixed,
          out);
    }
  }

  /**
   * One span's share. The sums rest in an array between spans: carried in local variables through
   * two nested loops they would be boxed.
   */
  private static void mixSpan4(
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
    FloatVector c0 = FloatVector.fromArray(LANES, out, at + 2 * headDim);
    FloatVector c1 = FloatVector.fromArray(LANES, out, at + 2 * headDim + L);
    FloatVector d0 = FloatVector.fromArray(LANES, out, at + 3 * headDim);
    FloatVector d1 = FloatVector.fromArray(LANES, out, at + 3 * headDim + L);
    for (int t = 0; t < count; t++) {
      FloatVector v0 = FloatVector.fromArray(LANES, values, value + t * headDim);
      FloatVector v1 = FloatVector.fromArray(LANES, values, value + t * headDim + L);
      FloatVector w = FloatVector.broadcast(LANES, weights[weight + t]);
      a0 = v0.fma(w, a0);
      a1 = v1.fma(w, a1);
      w = FloatVector.broadcast(LANES, weights[weight + stride + t]);
      b0 = v0.fma(w, b0);
      b1 = v1.fma(w, b1);
      w = FloatVector.broadcast(LANES, weights[weight + 2 * stride + t]);
      c0 = v0.fma(w, c0);
      c1 = v1.fma(w, c1);
      w = FloatVector.broadcast(LANES, weights[weight + 3 * stride + t]);
      d0 = v0.fma(w, d0);
      d1 = v1.fma(w, d1);
    }
    a0.intoArray(out, at);
    a1.intoArray(out, at + L);
    b0.intoArray(out, at + headDim);
    b1.intoArray(out, at + headDim + L);
    c0.intoArray(out, at + 2 * headDim);
    c1.intoArray(out, at + 2 * headDim + L);
    d0.intoArray(out, at + 3 * headDim);
    d1.intoArray(out, at + 3 * headDim + L);
  }

  /** As {@link #mix4} for the first 2 queries. */
  static void mix2(AttentionScratch scratch, int headDim, int dim, int visible) {
    Arrays.fill(scratch.mixed, dim, dim + CHUNK, 0);
    Arrays.fill(scratch.mixed, headDim + dim, headDim + dim + CHUNK, 0);
    for (int span = 0, first = 0; first < visible; first += scratch.tokens[span++]) {
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
          dim);
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
