package kv4j.inference.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;

/** The kernels on the Java Vector API. Loaded by name, and only where that module is. */
final class VectorKernels implements Kernels {
  /** The widest vectors this machine likes; a tile of keys is a whole number of them. */
  static final VectorSpecies<Float> LANES =
      FloatVector.SPECIES_PREFERRED.length() <= KvLayout.TILE
          ? FloatVector.SPECIES_PREFERRED
          : FloatVector.SPECIES_512;

  private static final int L = LANES.length();

  /** Tokens whose keys and values all queries of a call attend to before the next ones. */
  private static final int TOKENS_AT_ONCE = 512;

  private final PlainKernels plain = new PlainKernels();
  private final VectorExpander expander = new VectorExpander();

  @Override
  public String name() {
    return "vector, " + LANES.vectorBitSize() + " bits";
  }

  @Override
  public void rmsNorm(
      float[] x, int xAt, float[] gain, float epsilon, int n, float[] out, int outAt) {
    scaleBy(rmsFactor(x, xAt, epsilon, n), x, xAt, gain, n, out, outAt);
  }

  private static float rmsFactor(float[] x, int at, float epsilon, int n) {
    FloatVector squares = FloatVector.zero(LANES), more = squares;
    int i = 0;
    for (; i <= n - 2 * L; i += 2 * L) {
      FloatVector v = FloatVector.fromArray(LANES, x, at + i);
      FloatVector w = FloatVector.fromArray(LANES, x, at + i + L);
      squares = v.fma(v, squares);
      more = w.fma(w, more);
    }
    float sum = squares.add(more).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      sum += x[at + i] * x[at + i];
    }
    return (float) (1 / Math.sqrt(sum / n + epsilon));
  }

  private static void scaleBy(
      float factor, float[] x, int xAt, float[] gain, int n, float[] out, int outAt) {
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector.fromArray(LANES, x, xAt + i)
          .mul(factor)
          .mul(FloatVector.fromArray(LANES, gain, i))
          .intoArray(out, outAt + i);
    }
    for (; i < n; i++) {
      out[outAt + i] = x[xAt + i] * factor * gain[i];
    }
  }

  @Override
  public void layerNorm(
      float[] x,
      int xAt,
      float[] gain,
      float[] bias,
      float epsilon,
      int n,
      float[] out,
      int outAt) {
    float mean = mean(x, xAt, n);
    float factor = (float) (1 / Math.sqrt(variance(x, xAt, n, mean) + epsilon));
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector.fromArray(LANES, x, xAt + i)
          .sub(mean)
          .mul(factor)
          .fma(FloatVector.fromArray(LANES, gain, i), FloatVector.fromArray(LANES, bias, i))
          .intoArray(out, outAt + i);
    }
    for (; i < n; i++) {
      out[outAt + i] = (x[xAt + i] - mean) * factor * gain[i] + bias[i];
    }
  }

  private static float mean(float[] x, int at, int n) {
    FloatVector sums = FloatVector.zero(LANES);
    int i = 0;
    for (; i <= n - L; i += L) {
      sums = sums.add(FloatVector.fromArray(LANES, x, at + i));
    }
    float sum = sums.reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      sum += x[at + i];
    }
    return sum / n;
  }

  private static float variance(float[] x, int at, int n, float mean) {
    FloatVector squares = FloatVector.zero(LANES);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector v = FloatVector.fromArray(LANES, x, at + i).sub(mean);
      squares = v.fma(v, squares);
    }
    float sum = squares.reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      sum += (x[at + i] - mean) * (x[at + i] - mean);
    }
    return sum / n;
  }

  /** {@inheritDoc} Plain: for adjacent pairs shuffles would cost what the lanes save. */
  @Override
  public void rotate(
      float[] x,
      int at,
      int heads,
      int headDim,
      float[] cos,
      float[] sin,
      int tableAt,
      boolean adjacent) {
    plain.rotate(x, at, heads, headDim, cos, sin, tableAt, adjacent);
  }

  @Override
  public void swiGlu(float[] gateUp, int at, int n, float[] out, int outAt) {
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector gate = FloatVector.fromArray(LANES, gateUp, at + i);
      gate.div(exp(gate.neg()).add(1))
          .mul(FloatVector.fromArray(LANES, gateUp, at + n + i))
          .intoArray(out, outAt + i);
    }
    for (; i < n; i++) {
      float gate = gateUp[at + i];
      out[outAt + i] = gate / (1 + Exp.exp(-gate)) * gateUp[at + n + i];
    }
  }

  @Override
  public void gelu(float[] x, int at, int n, float[] out, int outAt) {
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector v = FloatVector.fromArray(LANES, x, at + i);
      FloatVector u = v.mul(v).mul(Exp.GELU_CUBIC).add(Exp.GELU_LINEAR).mul(v);
      v.div(exp(u).add(1)).intoArray(out, outAt + i);
    }
    plain.gelu(x, at + i, n - i, out, outAt + i);
  }

  @Override
  public void add(float[] x, int xAt, float[] delta, int deltaAt, int n) {
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector.fromArray(LANES, x, xAt + i)
          .add(FloatVector.fromArray(LANES, delta, deltaAt + i))
          .intoArray(x, xAt + i);
    }
    for (; i < n; i++) {
      x[xAt + i] += delta[deltaAt + i];
    }
  }

  /** {@link Exp#exp} in every lane. */
  static FloatVector exp(FloatVector x) {
    FloatVector clamped = x.max(Exp.LOWEST).min(Exp.HIGHEST);
    FloatVector shifted =
        clamped.fma(
            FloatVector.broadcast(LANES, Exp.LOG2_E), FloatVector.broadcast(LANES, Exp.ROUND));
    FloatVector n = shifted.sub(Exp.ROUND);
    FloatVector r =
        n.fma(
            FloatVector.broadcast(LANES, -Exp.LN2_LOW),
            n.fma(FloatVector.broadcast(LANES, -Exp.LN2_HIGH), clamped));
    FloatVector p = FloatVector.broadcast(LANES, Exp.C6);
    p = p.fma(r, FloatVector.broadcast(LANES, Exp.C5));
    p = p.fma(r, FloatVector.broadcast(LANES, Exp.C4));
    p = p.fma(r, FloatVector.broadcast(LANES, Exp.C3));
    p = p.fma(r, FloatVector.broadcast(LANES, Exp.C2));
    p = p.fma(r, FloatVector.broadcast(LANES, 1));
    p = p.fma(r, FloatVector.broadcast(LANES, 1));
    return p.mul(
        shifted
            .reinterpretAsInts()
            .lanewise(VectorOperators.LSHL, Exp.EXPONENT_SHIFT)
            .reinterpretAsFloats());
  }

  @Override
  public void attend(
      KvSpans spans,
      int layer,
      int kvHead,
      int rows,
      int fromRow,
      int toRow,
      int group,
      float scale,
      float[] queries,
      int queriesAt,
      int queriesStride,
      float[] output,
      int outputAt,
      int outputStride,
      AttentionScratch scratch) {
    if (fromRow >= toRow) {
      return;
    }
    KvLayout layout = spans.block(0).layout();
    if (layout.tileTokens() != KvLayout.TILE || layout.headDim() < VectorMix.CHUNK) {
      plain.attend(
          spans,
          layer,
          kvHead,
          rows,
          fromRow,
          toRow,
          group,
          scale,
          queries,
          queriesAt,
          queriesStride,
          output,
          outputAt,
          outputStride,
          scratch);
      return;
    }
    int headDim = layout.headDim();
    int seenByFirst = spans.length() - rows + fromRow + 1;
    int vectors = (toRow - fromRow) * group;
    int seenByLast = seenByFirst + toRow - fromRow - 1;
    scratch.bind(spans, layer, kvHead, seenByLast, expander);
    scratch.begin(vectors, headDim);
    int room = AttentionScratch.QUERIES * headDim;
    for (int first = 0, at = 0; first < vectors; first += batch(first, vectors), at += room) {
      int count = batch(first, vectors);
      for (int i = 0; i < count; i++) {
        int vector = Math.min(first + i, vectors - 1);
        int from = queriesAt + vector / group * queriesStride + vector % group * headDim;
        scratch.take(at + i, queries, from, headDim, scale);
      }
    }
    // A part of the keys and values that the second cache holds serves all queries before the next.
    for (int span = 0, begin = 0, end; begin < seenByLast; begin = end) {
      int from = span;
      for (end = begin; end < begin + TOKENS_AT_ONCE && end < seenByLast; span++) {
        end += scratch.tokens[span];
      }
      for (int first = 0, at = 0; first < vectors; first += batch(first, vectors), at += room) {
        int count = batch(first, vectors);
        int last = Math.min(first + count, vectors) - 1;
        int visible = Math.min(end, seenByFirst + last / group) - begin;
        if (visible > 0) {
          attend(
              scratch,
              at,
              first,
              count,
              vectors,
              group,
              headDim,
              from,
              seenByFirst - begin,
              visible);
        }
      }
    }
    for (int vector = 0; vector < vectors; vector++) {
      int at = outputAt + vector / group * outputStride + vector % group * headDim;
      scratch.put(vector, output, at, headDim);
    }
    scratch.release();
  }

  /**
   * How many queries from {@code first} on are computed together; where fewer are left, the last
   * one is computed more than once.
   */
  private static int batch(int first, int vectors) {
    return vectors - first > AttentionScratch.QUERIES / 2 ? AttentionScratch.QUERIES : 2;
  }

  /**
   * What some tokens add to a batch of queries.
   *
   * @param queriesAt where the batch begins in {@code scratch.queries}
   * @param first its first query, of {@code vectors}
   * @param count how many are computed
   * @param seenByFirst how many of them the first row sees, perhaps less than none
   * @param visible how many the batch's last row sees
   */
  private static void attend(
      AttentionScratch scratch,
      int queriesAt,
      int first,
      int count,
      int vectors,
      int group,
      int headDim,
      int fromSpan,
      int seenByFirst,
      int visible) {
    int at = first * headDim;
    if (count == 2) {
      VectorScores.score2(scratch, queriesAt, headDim, fromSpan, visible);
    } else {
      VectorScores.score8(scratch, queriesAt, headDim, fromSpan, visible);
    }
    for (int i = 0; i < count; i++) {
      int sees = seenByFirst + Math.min(first + i, vectors - 1) / group;
      VectorScores.softmax(scratch, i, first + i, headDim, Math.min(sees, visible), visible);
    }
    for (int d = 0; d < headDim; d += VectorMix.CHUNK) {
      // The last chunk may overlap the one before, whose sums then stay as they are.
      int dim = Math.min(d, headDim - VectorMix.CHUNK);
      int overlap = d - dim;
      scratch.save(at + dim, count, headDim, overlap);
      if (count == 2) {
        VectorMix.mix2(scratch, at, headDim, dim, fromSpan, visible);
      } else {
        VectorMix.mix8(scratch, at, headDim, dim, fromSpan, visible);
      }
      scratch.restore(at + dim, count, headDim, overlap);
    }
  }
}
