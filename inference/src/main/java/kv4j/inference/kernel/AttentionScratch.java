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
  /** Most query vectors a kernel takes at once. */
  static final int QUERIES = 8;

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

  /** {@code [headDim, QUERIES]} for each batch of queries: queries times scale. */
  float[] queries = {};

  /** {@code [QUERIES, scoresStride]}. */
  float[] scores = {};

  int scoresStride;

  /** Per query, the sum of its weights. */
  float[] sums = {};

  /** Per query, its largest score. */
  float[] maxima = {};

  /** {@code [queries, headDim]}: sums of weighted values. */
  float[] mixed = {};

  private final float[] saved = new float[QUERIES * SAVED];

  private float[] expanded = {};

  /**
   * Finds one KV head's keys and values of one layer in the first {@code visible} tokens; {@code
   * expander} turns them into floats where the cache keeps none.
   */
  void bind(KvSpans source, int layer, int kvHead, int visible, KvExpander expander) {
    grow(source, visible);
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

  /** Forgets all sums and makes room for queries, and a batch more. */
  void begin(int vectors, int headDim) {
    int most = vectors + QUERIES;
    int batches = vectors / QUERIES + QUERIES / 2; // at most so many, the last ones of two
    if (queries.length < batches * QUERIES * headDim) {
      queries = new float[batches * QUERIES * headDim];
    }
    if (mixed.length < most * headDim) {
      mixed = new float[most * headDim];
    }
    if (sums.length < most) {
      sums = new float[most];
      maxima = new float[most];
    }
    Arrays.fill(mixed, 0, most * headDim, 0);
    Arrays.fill(sums, 0, most, 0);
    Arrays.fill(maxima, 0, most, Float.NEGATIVE_INFINITY);
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

  /** Copies a query times scale to every {@link #QUERIES}th place from {@code at} on. */
  void take(int at, float[] source, int from, int headDim, float scale) {
    for (int d = 0; d < headDim; d++) {
      queries[at + d * QUERIES] = source[from + d] * scale;
    }
  }

  /** Copies out what was {@link #mixed} for a query, divided by the sum of its weights. */
  void put(int query, float[] out, int to, int headDim) {
    float factor = 1 / sums[query];
    for (int d = 0; d < headDim; d++) {
      out[to + d] = mixed[query * headDim + d] * factor;
    }
  }

  private void grow(KvSpans source, int visible) {
    if (tokens.length < source.count()) {
      int length = Math.max(source.count(), 2 * tokens.length);
      keys = new float[length][];
      values = new float[length][];
      keysAt = new int[length];
      valuesAt = new int[length];
      tokens = new int[length];
    }
    int headDim = source.block(0).layout().headDim();
    if (queries.length < headDim * QUERIES) {
      queries = new float[headDim * QUERIES];
      mixed = new float[headDim * QUERIES];
    }
    if (scoresStride < visible + OVERRUN) {
      int vectors = Math.max(visible + OVERRUN, 2 * scoresStride) / 16;
      scoresStride = 16 * (vectors | 1); // odd, or all rows would compete for the same cache lines
      scores = new float[QUERIES * scoresStride];
    }
  }
}
