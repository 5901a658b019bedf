package kv4j.inference.kernel;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import kv4j.cache.block.KvLayout;

/**
 * Scores of a batch of query vectors and their softmax on the Java Vector API, one lane per query:
 * each element of a key, once loaded, serves all of them, and no sum runs across lanes.
 *
 * <p>Every vector is a local variable of the method that uses it: held in an array or a field it
 * would be boxed.
 */
final class VectorScores {
  private static final VectorSpecies<Float> LANES = VectorKernels.LANES;
  private static final int L = LANES.length();
  private static final int TILE = KvLayout.TILE;

  /** Most queries of a batch. */
  static final int QUERIES = 2 * L;

  /** Tokens whose scores are kept in registers; a divisor of {@link #TILE}. */
  private static final int TOKENS = 8;

  /** Whether there are registers for the scores of {@link #TOKENS} tokens and all queries. */
  private static final boolean ALL = L >= TILE;

  private VectorScores() {}

  /**
   * Copies a query times scale to its lane: {@link AttentionScratch#take} with a stride that the
   * compiler knows, for which it checks bounds once.
   *
   * @param at where the queries of its batch begin in {@code scratch.queries}, {@code [headDim,
   *     QUERIES]}
   */
  static void take(
      AttentionScratch scratch, int at, float[] source, int from, int headDim, float scale) {
    float[] queries = scratch.queries;
    for (int d = 0; d < headDim; d++) {
      queries[at + d * QUERIES] = source[from + d] * scale;
    }
  }

  /**
   * Scores of a batch against {@code visible} tokens, {@code [token, QUERIES]}, and up to a tile
   * beyond.
   *
   * @param at where the queries begin in {@code scratch.queries}, {@code [headDim, QUERIES]}
   * @param width queries, {@link #QUERIES} or half as many
   * @param fromSpan the span whose first token is the first
   */
  static void score(
      AttentionScratch scratch, int at, int width, int headDim, int fromSpan, int visible) {
    float[] queries = scratch.queries;
    float[] scores = scratch.scores;
    for (int span = fromSpan, first = 0; first < visible; first += scratch.tokens[span++]) {
      int count = Math.min(scratch.tokens[span], visible - first);
      float[] keys = scratch.keys[span];
      for (int t = 0; t < count; t += TOKENS) {
        int key = scratch.keysAt[span] + t / TILE * TILE * headDim + t % TILE;
        int to = (first + t) * QUERIES;
        if (ALL && width == QUERIES) {
          scoreAll(queries, at, keys, key, headDim, scores, to);
        } else {
          for (int lane = 0; lane < width; lane += L) {
            scoreHalf(queries, at + lane, keys, key, headDim, scores, to + lane);
          }
        }
      }
    }
  }

  /** Scores of {@link #QUERIES} queries against {@link #TOKENS} tokens. */
  private static void scoreAll(
      float[] queries, int query, float[] keys, int key, int headDim, float[] scores, int at) {
    FloatVector a0 = FloatVector.zero(LANES),
        b0 = a0,
        c0 = a0,
        d0 = a0,
        e0 = a0,
        f0 = a0,
        g0 = a0,
        h0 = a0;
    FloatVector a1 = a0, b1 = a0, c1 = a0, d1 = a0, e1 = a0, f1 = a0, g1 = a0, h1 = a0;
    for (int i = 0; i < headDim; i++) {
      FloatVector q0 = FloatVector.fromArray(LANES, queries, query + i * QUERIES);
      FloatVector q1 = FloatVector.fromArray(LANES, queries, query + i * QUERIES + L);
      FloatVector k = FloatVector.broadcast(LANES, keys[key + i * TILE]);
      a0 = q0.fma(k, a0);
      a1 = q1.fma(k, a1);
      k = FloatVector.broadcast(LANES, keys[key + i * TILE + 1]);
      b0 = q0.fma(k, b0);
      b1 = q1.fma(k, b1);
      k = FloatVector.broadcast(LANES, keys[key + i * TILE + 2]);
      c0 = q0.fma(k, c0);
      c1 = q1.fma(k, c1);
      k = FloatVector.broadcast(LANES, keys[key + i * TILE + 3]);
      d0 = q0.fma(k, d0);
      d1 = q1.fma(k, d1);
      k = FloatVector.broadcast(LANES, keys[key + i * TILE + 4]);
      e0 = q0.fma(k, e0);
      e1 = q1.fma(k, e1);
      k = FloatVector.broadcast(LANES, keys[key + i * TILE + 5]);
      f0 = q0.fma(k, f0);
      f1 = q1.fma(k, f1);
      k = FloatVector.broadcast(LANES, keys[key + i * TILE + 6]);
      g0 = q0.fma(k, g0);
      g1 = q1.fma(k, g1);
      k = FloatVector.broadcast(LANES, keys[key + i * TILE + 7]);
      h0 = q0.fma(k, h0);
      h1 = q1.fma(k, h1);
    }
    a0.intoArray(scores, at);
    a1.intoArray(scores, at + L);
    b0.intoArray(scores, at + 2 * L);
    b1.intoArray(scores, at + 3 * L);
    c0.intoArray(scores, at + 4 * L);
    c1.intoArray(scores, at + 5 * L);
    d0.intoArray(scores, at + 6 * L);
    d1.intoArray(scores, at + 7 * L);
    e0.intoArray(scores, at + 8 * L);
    e1.intoArray(scores, at + 9 * L);
    f0.intoArray(scores, at + 10 * L);
    f1.intoArray(scores, at + 11 * L);
    g0.intoArray(scores, at + 12 * L);
    g1.intoArray(scores, at + 13 * L);
    h0.intoArray(scores, at + 14 * L);
    h1.intoArray(scores, at + 15 * L);
  }

  /** Scores of as many queries as there are lanes against {@link #TOKENS} tokens. */
  private static void scoreHalf(
      float[] queries, int query, float[] keys, int key, int headDim, float[] scores, int at) {
    FloatVector a = FloatVector.zero(LANES), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (int i = 0; i < headDim; i++) {
      FloatVector q = FloatVector.fromArray(LANES, queries, query + i * QUERIES);
      a = q.fma(FloatVector.broadcast(LANES, keys[key + i * TILE]), a);
      b = q.fma(FloatVector.broadcast(LANES, keys[key + i * TILE + 1]), b);
      c = q.fma(FloatVector.broadcast(LANES, keys[key + i * TILE + 2]), c);
      d = q.fma(FloatVector.broadcast(LANES, keys[key + i * TILE + 3]), d);
      e = q.fma(FloatVector.broadcast(LANES, keys[key + i * TILE + 4]), e);
      f = q.fma(FloatVector.broadcast(LANES, keys[key + i * TILE + 5]), f);
      g = q.fma(FloatVector.broadcast(LANES, keys[key + i * TILE + 6]), g);
      h = q.fma(FloatVector.broadcast(LANES, keys[key + i * TILE + 7]), h);
    }
    a.intoArray(scores, at);
    b.intoArray(scores, at + QUERIES);
    c.intoArray(scores, at + 2 * QUERIES);
    d.intoArray(scores, at + 3 * QUERIES);
    e.intoArray(scores, at + 4 * QUERIES);
    f.intoArray(scores, at + 5 * QUERIES);
    g.intoArray(scores, at + 6 * QUERIES);
    h.intoArray(scores, at + 7 * QUERIES);
  }

  /**
   * Hides from each query of a batch the tokens that come after its own, and from all of them what
   * lies in place of the token after the last, so that their number need not be even.
   *
   * @param first the batch's first query
   * @param seenByFirst tokens that query 0, whose row is the first, sees; perhaps none, or less
   */
  static void hide(
      AttentionScratch scratch, int first, int width, int group, int seenByFirst, int visible) {
    for (int t = Math.max(0, seenByFirst + first / group); t < visible; t++) {
      int blind = Math.min(width, (t - seenByFirst + 1) * group - first);
      Arrays.fill(scratch.scores, t * QUERIES, t * QUERIES + blind, AttentionScratch.UNSEEN);
    }
    int end = visible * QUERIES;
    Arrays.fill(scratch.scores, end, end + width, AttentionScratch.UNSEEN);
  }

  /**
   * Turns the scores of as many queries as there are lanes into {@code exp(score - largest)} in
   * place, where largest is over all tokens so far: what the queries have summed up before is
   * scaled to it (online softmax, Milakov and Gimelshein 2018).
   *
   * <p>A query one of whose scores is not a number gets weights of 0, and so, divided by their sum,
   * nothing but NaN.
   *
   * @param query the first query
   * @param lane where its scores begin
   */
  static void softmax(AttentionScratch scratch, int query, int lane, int headDim, int visible) {
    raise(scratch, query, lane, headDim, visible);
    VectorExp.weigh(
        scratch.scores, lane, QUERIES, visible, scratch.maxima, query, scratch.sums, query);
  }

  /** Takes note of larger scores, and scales what has been summed up to them. */
  private static void raise(
      AttentionScratch scratch, int query, int lane, int headDim, int visible) {
    largest(scratch.scores, lane, visible, scratch.factors);
    FloatVector before = FloatVector.fromArray(LANES, scratch.maxima, query);
    FloatVector top = before.max(FloatVector.fromArray(LANES, scratch.factors, 0));
    if (top.compare(VectorOperators.EQ, before).allTrue()) {
      return;
    }
    top.intoArray(scratch.maxima, query);
    before.intoArray(scratch.factors, 0);
    VectorExp.weigh(scratch.factors, 0, L, 1, scratch.maxima, query, scratch.partial, 0);
    FloatVector.fromArray(LANES, scratch.sums, query)
        .mul(FloatVector.fromArray(LANES, scratch.factors, 0))
        .intoArray(scratch.sums, query);
    for (int i = 0; i < L; i++) {
      if (scratch.factors[i] != 1) {
        int at = (query + i) * headDim;
        VectorKernels.scale(scratch.mixed, at, headDim, scratch.factors[i], scratch.mixed, at);
      }
    }
  }

  /**
   * The largest score of each query, or not a number if there is none such. Floats are compared as
   * integers, as in {@link VectorKernels#exp}: their bits are ordered likewise if they are
   * positive, and the other way round if all are negative.
   */
  private static void largest(float[] scores, int lane, int visible, float[] into) {
    FloatVector sum = FloatVector.fromArray(LANES, scores, lane);
    IntVector most = sum.reinterpretAsInts();
    IntVector least = most;
    for (int t = 1; t < visible; t++) {
      FloatVector v = FloatVector.fromArray(LANES, scores, lane + t * QUERIES);
      sum = sum.add(v);
      IntVector bits = v.reinterpretAsInts();
      most = most.max(bits);
      least = least.min(bits);
    }
    VectorMask<Integer> negative = most.compare(VectorOperators.LT, 0);
    most.blend(least, negative).reinterpretAsFloats().add(sum.mul(0)).intoArray(into, 0);
  }
}
