package kv4j.inference.kernel;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import kv4j.cache.block.KvLayout;

/**
 * Attention of two query vectors on the Java Vector API, as decoding needs it: too few queries to
 * fill lanes with. A lane is a token in their scores, and a dimension in their sums of values.
 *
 * <p>Every vector is a local variable of the method that uses it: held in an array or a field it
 * would be boxed. And each method is called in one place only: the compiler inlines them into one
 * another until it has too many nodes, and boxes what is passed to the rest.
 */
final class VectorPair {
  private static final VectorSpecies<Float> LANES = VectorKernels.LANES;
  private static final int L = LANES.length();
  private static final int TILE = KvLayout.TILE;

  /** Queries computed together. */
  static final int QUERIES = 2;

  /** Dimensions computed at once. */
  private static final int CHUNK = VectorMix.CHUNK;

  private VectorPair() {}

  /**
   * Adds what some tokens give to the sums of two queries.
   *
   * @param first the first one
   * @param seenByOne how many of these tokens the first query sees, perhaps none, or less
   * @param seenByOther how many the second one sees
   */
  static void attend(
      AttentionScratch scratch,
      int first,
      int headDim,
      int fromSpan,
      int seenByOne,
      int seenByOther) {
    score(scratch, first * headDim, headDim, fromSpan, seenByOther);
    for (int i = 0; i < QUERIES; i++) {
      int sees = i == 0 ? seenByOne : seenByOther;
      softmax(scratch, i, first + i, headDim, sees, seenByOther);
    }
    for (int d = 0; d < headDim; d += CHUNK) {
      // The last chunk may overlap the one before, whose sums then stay as they are.
      int dim = Math.min(d, headDim - CHUNK);
      int at = first * headDim + dim;
      scratch.save(at, QUERIES, headDim, d - dim);
      mix(scratch, at, headDim, dim, fromSpan, seenByOther);
      scratch.restore(at, QUERIES, headDim, d - dim);
    }
  }

  /** Scores against {@code visible} tokens, {@code [query, token]}, and up to a vector beyond. */
  private static void score(
      AttentionScratch scratch, int at, int headDim, int fromSpan, int visible) {
    float[] scores = scratch.scores;
    int stride = scratch.scoresStride;
    for (int span = fromSpan, first = 0; first < visible; first += scratch.tokens[span++]) {
      int count = Math.min(scratch.tokens[span], visible - first);
      for (int t = 0; t < count; t += L) {
        int key = scratch.keysAt[span] + t / TILE * TILE * headDim + t % TILE;
        scoreTile(scratch.queries, at, scratch.keys[span], key, headDim, scores, first + t, stride);
      }
    }
  }

  private static void scoreTile(
      float[] queries,
      int query,
      float[] keys,
      int key,
      int headDim,
      float[] scores,
      int at,
      int stride) {
    FloatVector a = FloatVector.zero(LANES), b = a;
    int q = query;
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
   * Turns one query's scores into {@code exp(score - largest)} in place, where largest is over all
   * tokens so far: what the query has summed up before is scaled to it (online softmax, Milakov and
   * Gimelshein 2018).
   *
   * @param row which scores
   * @param vector whose sums and maximum
   * @param visible tokens among these that the query sees, perhaps none; the scores from there to
   *     {@code end}, and up to a vector beyond, become 0
   */
  private static void softmax(
      AttentionScratch scratch, int row, int vector, int headDim, int visible, int end) {
    float[] scores = scratch.scores;
    int at = row * scratch.scoresStride;
    int stop = at + (end + L - 1) / L * L;
    if (visible <= 0) {
      Arrays.fill(scores, at, stop, 0);
      return;
    }
    Arrays.fill(scores, at + visible, stop, AttentionScratch.UNSEEN);
    float largest = scratch.raise(vector, largest(scores, at, stop), headDim);
    if (Float.isNaN(largest)) {
      Arrays.fill(scores, at, stop, largest);
      scratch.sums[vector] = largest;
      return;
    }
    Arrays.fill(scratch.same, largest);
    Arrays.fill(scratch.partial, 0);
    int count = (stop - at) / L;
    VectorExp.weigh(scores, at, L, count, scratch.same, 0, scratch.partial, 0);
    FloatVector sum = FloatVector.fromArray(LANES, scratch.partial, 0);
    scratch.sums[vector] += sum.reduceLanes(VectorOperators.ADD);
  }

  /**
   * The largest score, or not a number if there is none such. Floats are compared as integers:
   * their bits are ordered likewise if they are positive, and the other way round if all are
   * negative.
   */
  private static float largest(float[] scores, int at, int stop) {
    FloatVector first = FloatVector.fromArray(LANES, scores, at);
    FloatVector sum = FloatVector.zero(LANES);
    IntVector most = first.reinterpretAsInts();
    IntVector least = most;
    for (int t = at; t < stop; t += L) {
      FloatVector v = FloatVector.fromArray(LANES, scores, t);
      sum = sum.add(v);
      IntVector bits = v.reinterpretAsInts();
      most = most.max(bits);
      least = least.min(bits);
    }
    float all = sum.reduceLanes(VectorOperators.ADD);
    if (Float.isNaN(all)) {
      return all;
    }
    int largest = most.reduceLanes(VectorOperators.MAX);
    return Float.intBitsToFloat(largest >= 0 ? largest : least.reduceLanes(VectorOperators.MIN));
  }

  /** Adds {@link #CHUNK} dimensions of the values, weighted by the scores. */
  private static void mix(
      AttentionScratch scratch, int at, int headDim, int dim, int fromSpan, int visible) {
    for (int span = fromSpan, first = 0; first < visible; first += scratch.tokens[span++]) {
      int count = Math.min(scratch.tokens[span], visible - first);
      int value = scratch.valuesAt[span] + dim;
      mixSpan(
          scratch.values[span],
          value,
          headDim,
          count,
          scratch.scores,
          first,
          scratch.scoresStride,
          scratch.mixed,
          at);
    }
  }

  /** Even and odd tokens are summed apart, so that additions wait less for each other. */
  private static void mixSpan(
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
