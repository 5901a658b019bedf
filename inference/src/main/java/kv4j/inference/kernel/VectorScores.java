package kv4j.inference.kernel;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import kv4j.cache.block.KvLayout;

/**
 * Scores of a few query vectors at once and their softmax on the Java Vector API, one lane per
 * token. Each key that is loaded serves several queries.
 *
 * <p>Every vector is a local variable of the method that uses it: held in an array or a field it
 * would be boxed.
 */
final class VectorScores {
  private static final VectorSpecies<Float> LANES = VectorKernels.LANES;
  private static final int L = LANES.length();
  private static final int TILE = KvLayout.TILE;
  private static final int QUERIES = AttentionScratch.QUERIES;

  /** Whether there are registers for the scores of 8 queries against two tiles. */
  private static final boolean PAIRS = L >= TILE;

  private VectorScores() {}

  /**
   * Scores of 8 queries against {@code visible} tokens, and up to a vector beyond.
   *
   * @param at where the queries begin in {@code scratch.queries}, {@code [headDim, 8]}
   * @param fromSpan the span whose first token is the first
   */
  static void score8(AttentionScratch scratch, int at, int headDim, int fromSpan, int visible) {
    float[] scores = scratch.scores;
    int stride = scratch.scoresStride;
    float[] waiting = null;
    int waitingKey = 0;
    int waitingToken = 0;
    for (int span = fromSpan, first = 0; first < visible; first += scratch.tokens[span++]) {
      int count = Math.min(scratch.tokens[span], visible - first);
      float[] keys = scratch.keys[span];
      for (int t = 0; t < count; t += L) {
        int key = scratch.keysAt[span] + t / TILE * TILE * headDim + t % TILE;
        if (!PAIRS) {
          scoreTile8(scratch.queries, at, keys, key, headDim, scores, first + t, stride);
        } else if (waiting == null) {
          waiting = keys;
          waitingKey = key;
          waitingToken = first + t;
        } else {
          scoreTiles8(
              scratch.queries,
              at,
              waiting,
              waitingKey,
              keys,
              key,
              headDim,
              scores,
              waitingToken,
              first + t - waitingToken,
              stride);
          waiting = null;
        }
      }
    }
    if (waiting != null) {
      scoreTile8(scratch.queries, at, waiting, waitingKey, headDim, scores, waitingToken, stride);
    }
  }

  /**
   * Two tiles at once, so that a query's element, once loaded, serves both.
   *
   * @param next how many tokens after the first tile's the second one's begin
   */
  private static void scoreTiles8(
      float[] queries,
      int query,
      float[] keys,
      int key,
      float[] moreKeys,
      int moreKey,
      int headDim,
      float[] scores,
      int at,
      int next,
      int stride) {
    FloatVector a0 = FloatVector.zero(LANES),
        b0 = a0,
        c0 = a0,
        d0 = a0,
        e0 = a0,
        f0 = a0,
        g0 = a0,
        h0 = a0;
    FloatVector a1 = a0, b1 = a0, c1 = a0, d1 = a0, e1 = a0, f1 = a0, g1 = a0, h1 = a0;
    int q = query;
    for (int i = 0; i < headDim; i++) {
      FloatVector k0 = FloatVector.fromArray(LANES, keys, key + i * TILE);
      FloatVector k1 = FloatVector.fromArray(LANES, moreKeys, moreKey + i * TILE);
      FloatVector x = FloatVector.broadcast(LANES, queries[q]);
      a0 = k0.fma(x, a0);
      a1 = k1.fma(x, a1);
      x = FloatVector.broadcast(LANES, queries[q + 1]);
      b0 = k0.fma(x, b0);
      b1 = k1.fma(x, b1);
      x = FloatVector.broadcast(LANES, queries[q + 2]);
      c0 = k0.fma(x, c0);
      c1 = k1.fma(x, c1);
      x = FloatVector.broadcast(LANES, queries[q + 3]);
      d0 = k0.fma(x, d0);
      d1 = k1.fma(x, d1);
      x = FloatVector.broadcast(LANES, queries[q + 4]);
      e0 = k0.fma(x, e0);
      e1 = k1.fma(x, e1);
      x = FloatVector.broadcast(LANES, queries[q + 5]);
      f0 = k0.fma(x, f0);
      f1 = k1.fma(x, f1);
      x = FloatVector.broadcast(LANES, queries[q + 6]);
      g0 = k0.fma(x, g0);
      g1 = k1.fma(x, g1);
      x = FloatVector.broadcast(LANES, queries[q + 7]);
      h0 = k0.fma(x, h0);
      h1 = k1.fma(x, h1);
      q += QUERIES;
    }
    a0.intoArray(scores, at + 0 * stride);
    a1.intoArray(scores, at + 0 * stride + next);
    b0.intoArray(scores, at + 1 * stride);
    b1.intoArray(scores, at + 1 * stride + next);
    c0.intoArray(scores, at + 2 * stride);
    c1.intoArray(scores, at + 2 * stride + next);
    d0.intoArray(scores, at + 3 * stride);
    d1.intoArray(scores, at + 3 * stride + next);
    e0.intoArray(scores, at + 4 * stride);
    e1.intoArray(scores, at + 4 * stride + next);
    f0.intoArray(scores, at + 5 * stride);
    f1.intoArray(scores, at + 5 * stride + next);
    g0.intoArray(scores, at + 6 * stride);
    g1.intoArray(scores, at + 6 * stride + next);
    h0.intoArray(scores, at + 7 * stride);
    h1.intoArray(scores, at + 7 * stride + next);
  }

  private static void scoreTile8(
      float[] queries,
      int query,
      float[] keys,
      int key,
      int headDim,
      float[] scores,
      int at,
      int stride) {
    FloatVector a = FloatVector.zero(LANES), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    int q = query;
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
  static void score2(AttentionScratch scratch, int at, int headDim, int fromSpan, int visible) {
    float[] scores = scratch.scores;
    int stride = scratch.scoresStride;
    for (int span = fromSpan, first = 0; first < visible; first += scratch.tokens[span++]) {
      int count = Math.min(scratch.tokens[span], visible - first);
      for (int t = 0; t < count; t += L) {
        int key = scratch.keysAt[span] + t / TILE * TILE * headDim + t % TILE;
        scoreTile2(
            scratch.queries, at, scratch.keys[span], key, headDim, scores, first + t, stride);
      }
    }
  }

  private static void scoreTile2(
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
   *     {@code end}, and up to two vectors beyond, become 0
   */
  static void softmax(
      AttentionScratch scratch, int row, int vector, int headDim, int visible, int end) {
    float[] scores = scratch.scores;
    int at = row * scratch.scoresStride;
    int stop = at + (end + 2 * L - 1) / (2 * L) * (2 * L);
    if (visible <= 0) {
      Arrays.fill(scores, at, stop, 0);
      return;
    }
    Arrays.fill(scores, at + visible, stop, Float.NEGATIVE_INFINITY);
    FloatVector maxA = FloatVector.fromArray(LANES, scores, at);
    FloatVector maxB = maxA;
    for (int t = at; t < stop; t += 2 * L) {
      maxA = maxA.max(FloatVector.fromArray(LANES, scores, t));
      maxB = maxB.max(FloatVector.fromArray(LANES, scores, t + L));
    }
    float largest = scratch.raise(vector, maxA.max(maxB).reduceLanes(VectorOperators.MAX), headDim);
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
    scratch.sums[vector] += sumA.add(sumB).reduceLanes(VectorOperators.ADD);
  }
}
