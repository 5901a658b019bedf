package kv4j.inference.kernel;

import java.util.Arrays;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvExpander;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;

/**
 * What one thread needs for {@link Kernels#attend} beside its arguments: where each span's keys and
 * values lie, and room for scores. Grows as needed and is meant to be kept.
 */
public final class AttentionScratch {
  /** The score of a token that the query does not see; its weight is 0. */
  static final float UNSEEN = -Float.MAX_VALUE / 1024;

  /** Most query vectors whose sums a kernel changes at once. */
  private static final int QUERIES = 32;

  /** Most dimensions that two chunks can overlap in. */
  private static final int SAVED = 32;

  /** Scores a kernel may write beyond the last token: one vector, whatever its width. */
  private static final int OVERRUN = 64;

  /** Spans bound now. */
  int spans;

  /** Per span: the array that holds its keys and the index of the KV head's first one. */
  float[][] keys = {};

  int[] keysAt = {};

  /** Likewise for values. */
  float[][] values = {};

  int[] valuesAt = {};

  /** Tokens per span. */
  int[] tokens = {};

  /** {@code [headDim, batch]} for each batch of queries: queries times scale. */
  float[] queries = {};

  /** {@code [token, batch]}, or for pairs of queries {@code [2, scoresStride]}. */
  float[] scores = {};

  int scoresStride;

  /** Per query, the sum of its weights. */
  float[] sums = {};

  /** Per query, its largest score. */
  float[] maxima = {};

  /** {@code [queries, headDim]}: sums of weighted values. */
  float[] mixed = {};

  /** Where each query and its output begin. */
  int[] places = {};

  private float[] keptSums = {};
  private float[] keptMaxima = {};
  private float[] keptMixed = {};

  /** Room for a vector. */
  final float[] factors = new float[QUERIES];

  /** A sum's lanes. */
  final float[] partial = new float[QUERIES];

  /** The same number in every lane. */
  final float[] same = new float[QUERIES];

  private final float[] saved = new float[QUERIES * SAVED];

  private float[] expanded = {};

  /**
   * Finds one KV head's keys and values of one layer in the first {@code visible} tokens; {@code
   * expander} turns them into floats where the cache keeps none.
   */
  void bind(KvSpans source, int layer, int kvHead, int visible, KvExpander expander) {
    grow(source);
    KvLayout layout = source.block(0).layout();
    boolean direct = layout.dtype() == KvDtype.F32;
    int headElements = layout.headStride();
    if (!direct && expanded.length < 2 * source.count() * headElements) {
      expanded = new float[2 * source.count() * headElements];
    }
    spans = 0;
    for (int left = visible; left > 0; spans++) {
      KvBlock block = source.block(spans);
      int count = Math.min(left, source.tokens(spans));
      tokens[spans] = count;
      left -= count;
      if (direct) {
        keys[spans] = block.keys(layer);
        values[spans] = block.values(layer);
        keysAt[spans] = valuesAt[spans] = kvHead * headElements;
      } else {
        keys[spans] = values[spans] = expanded;
        keysAt[spans] = 2 * spans * headElements;
        valuesAt[spans] = keysAt[spans] + headElements;
        block.expandKeys(layer, kvHead, count, expander, expanded, keysAt[spans]);
        block.expandValues(layer, kvHead, count, expander, expanded, valuesAt[spans]);
      }
    }
  }

  /** Lets go of the cache's arrays. */
  void release() {
    Arrays.fill(keys, 0, spans, null);
    Arrays.fill(values, 0, spans, null);
    spans = 0;
  }

  /**
   * Forgets all sums and makes room.
   *
   * @param count queries
   * @param batch how many of them are computed together
   * @param tokens most tokens computed together
   */
  void begin(int count, int batch, int headDim, int tokens) {
    int padded = (count + batch - 1) / batch * batch;
    if (queries.length < padded * headDim) {
      queries = new float[padded * headDim];
    }
    if (mixed.length < padded * headDim) {
      mixed = new float[padded * headDim];
    }
    if (sums.length < padded || maxima.length < padded) {
      sums = new float[padded];
      maxima = new float[padded];
    }
    Arrays.fill(mixed, 0, padded * headDim, 0);
    Arrays.fill(sums, 0, padded, 0);
    Arrays.fill(maxima, 0, padded, Float.NEGATIVE_INFINITY);
    scoresStride = tokens + OVERRUN;
    if (scores.length < batch * scoresStride) {
      scores = new float[batch * scoresStride];
    }
  }

  /** Puts all sums aside for {@link #resume}, until the next call. */
  void keep() {
    float[] free = keptSums;
    keptSums = sums;
    sums = free;
    free = keptMaxima;
    keptMaxima = maxima;
    maxima = free;
    free = keptMixed;
    keptMixed = mixed;
    mixed = free;
  }

  /**
   * Begins with sums that were put aside.
   *
   * @param from the first query's number among those
   */
  void resume(int from, int count, int headDim) {
    System.arraycopy(keptSums, from, sums, 0, count);
    System.arraycopy(keptMaxima, from, maxima, 0, count);
    System.arraycopy(keptMixed, from * headDim, mixed, 0, count * headDim);
  }

  /** Sets the places of a task's queries, the first of which gets a number. */
  void place(AttentionTask task, int first, int at, int stride) {
    int count = task.queries();
    if (places.length < first + count) {
      places = Arrays.copyOf(places, 2 * (first + count));
    }
    for (int query = 0; query < count; query++) {
      places[first + query] = task.place(query, at, stride);
    }
  }

  /**
   * Takes note of a query's largest score among more tokens, and scales what it has summed up to
   * it.
   *
   * @return the largest score so far
   */
  float raise(int vector, float largest, int headDim) {
    float before = maxima[vector];
    if (largest <= before) {
      return before;
    }
    maxima[vector] = largest;
    if (sums[vector] > 0) {
      float factor = Exp.exp(before - largest);
      sums[vector] *= factor;
      for (int d = vector * headDim; d < (vector + 1) * headDim; d++) {
        mixed[d] *= factor;
      }
    }
    return largest;
  }

  /** Keeps the first {@code overlap} sums of {@code count} queries for {@link #restore}. */
  void save(int at, int count, int headDim, int overlap) {
    for (int i = 0; i < count && overlap > 0; i++) {
      System.arraycopy(mixed, at + i * headDim, saved, i * SAVED, overlap);
    }
  }

  void restore(int at, int count, int headDim, int overlap) {
    for (int i = 0; i < count && overlap > 0; i++) {
      System.arraycopy(saved, i * SAVED, mixed, at + i * headDim, overlap);
    }
  }

  /** Copies a query times scale to its place in its batch. */
  void take(int query, int batch, float[] source, int from, int headDim, float scale) {
    int at = query / batch * batch * headDim + query % batch;
    for (int d = 0; d < headDim; d++) {
      queries[at + d * batch] = source[from + d] * scale;
    }
  }

  private void grow(KvSpans source) {
    if (tokens.length < source.count()) {
      int length = Math.max(source.count(), 2 * tokens.length);
      keys = new float[length][];
      values = new float[length][];
      keysAt = new int[length];
      valuesAt = new int[length];
      tokens = new int[length];
    }
  }
}
