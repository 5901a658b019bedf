package kv4j.inference.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import kv4j.cache.block.KvLayout;

/** The kernels on the Java Vector API. Loaded by name, and only where that module is. */
final class VectorKernels implements Kernels {
  /** The widest vectors this machine likes; a tile of keys is a whole number of them. */
  static final VectorSpecies<Float> LANES =
      FloatVector.SPECIES_PREFERRED.length() <= KvLayout.TILE
          ? FloatVector.SPECIES_PREFERRED
          : FloatVector.SPECIES_512;

  private static final int L = LANES.length();

  /** The registers that a vector fits in: 32 with AVX-512 and on ARM, else 16. */
  private static final Tiles TILES =
      L == 16 || System.getProperty("os.arch").equals("aarch64")
          ? new VectorWideTiles()
          : new VectorNarrowTiles();

  /** Lane {@code i} takes element {@code i / 2}. */
  private static final VectorShuffle<Float> TWICE = VectorShuffle.fromOp(LANES, i -> i / 2);

  /** Neighbours change places. */
  private static final VectorShuffle<Float> SWAPPED = VectorShuffle.fromOp(LANES, i -> i ^ 1);

  /** Minus one in even lanes, one in odd ones. */
  private static final float[] SIGNS = signs();

  private final PlainKernels plain = new PlainKernels();
  private final ThreadLocal<float[]> rows = ThreadLocal.withInitial(() -> new float[0]);

  /**
   * @throws UnsupportedOperationException if a batch of queries, two vectors, would be less than
   *     what {@link VectorMix} takes at once: where the processor has no vectors worth the name
   */
  VectorKernels() {
    if (VectorScores.QUERIES < VectorMix.QUERIES) {
      throw new UnsupportedOperationException("vectors of " + LANES.vectorBitSize() + " bits");
    }
  }

  private final VectorAttention attention = new VectorAttention();

  private static float[] signs() {
    float[] signs = new float[L];
    for (int i = 0; i < L; i++) {
      signs[i] = i % 2 == 0 ? -1 : 1;
    }
    return signs;
  }

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

  /** {@code out[i] = x[i] * factor}. */
  static void scale(float[] x, int xAt, int n, float factor, float[] out, int outAt) {
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector.fromArray(LANES, x, xAt + i).mul(factor).intoArray(out, outAt + i);
    }
    for (; i < n; i++) {
      out[outAt + i] = x[xAt + i] * factor;
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
    int pairs = headDim / 2;
    boolean vectors =
        adjacent ? headDim % L == 0 && tableAt + pairs + L / 2 <= cos.length : pairs % L == 0;
    if (!vectors) {
      plain.rotate(x, at, heads, headDim, cos, sin, tableAt, adjacent);
    } else if (adjacent) {
      for (int i = 0; i < headDim; i += L) {
        rotateAdjacent(x, at + i, heads, headDim, cos, sin, tableAt + i / 2);
      }
    } else {
      for (int i = 0; i < pairs; i += L) {
        rotateApart(x, at + i, heads, headDim, cos, sin, tableAt + i);
      }
    }
  }

  /** Turns as many elements of each head as there are lanes; pairs lie side by side. */
  private static void rotateAdjacent(
      float[] x, int at, int heads, int headDim, float[] cos, float[] sin, int tableAt) {
    FloatVector c = FloatVector.fromArray(LANES, cos, tableAt).rearrange(TWICE);
    FloatVector s =
        FloatVector.fromArray(LANES, sin, tableAt)
            .rearrange(TWICE)
            .mul(FloatVector.fromArray(LANES, SIGNS, 0));
    for (int head = 0; head < heads; head++) {
      FloatVector v = FloatVector.fromArray(LANES, x, at + head * headDim);
      v.rearrange(SWAPPED).fma(s, v.mul(c)).intoArray(x, at + head * headDim);
    }
  }

  /** Turns as many pairs of each head as there are lanes; their elements are half a head apart. */
  private static void rotateApart(
      float[] x, int at, int heads, int headDim, float[] cos, float[] sin, int tableAt) {
    FloatVector c = FloatVector.fromArray(LANES, cos, tableAt);
    FloatVector s = FloatVector.fromArray(LANES, sin, tableAt);
    for (int head = 0; head < heads; head++) {
      int first = at + head * headDim;
      int second = first + headDim / 2;
      FloatVector a = FloatVector.fromArray(LANES, x, first);
      FloatVector b = FloatVector.fromArray(LANES, x, second);
      a.mul(c).sub(b.mul(s)).intoArray(x, first);
      a.fma(s, b.mul(c)).intoArray(x, second);
    }
  }

  /** A thread's room for a row on its way. */
  private float[] row(int n) {
    float[] row = rows.get();
    if (row.length < n) {
      row = new float[n];
      rows.set(row);
    }
    return row;
  }

  @Override
  public void swiGlu(float[] gateUp, int at, int n, float[] out, int outAt) {
    float[] exps = row(n);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector.fromArray(LANES, gateUp, at + i).neg().intoArray(exps, i);
    }
    VectorExp.exp(exps, 0, i);
    i = 0;
    for (; i <= n - L; i += L) {
      FloatVector.fromArray(LANES, gateUp, at + i)
          .div(FloatVector.fromArray(LANES, exps, i).add(1))
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
    float[] exps = row(n);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector v = FloatVector.fromArray(LANES, x, at + i);
      v.mul(v).mul(Exp.GELU_CUBIC).add(Exp.GELU_LINEAR).mul(v).intoArray(exps, i);
    }
    VectorExp.exp(exps, 0, i);
    i = 0;
    for (; i <= n - L; i += L) {
      FloatVector.fromArray(LANES, x, at + i)
          .div(FloatVector.fromArray(LANES, exps, i).add(1))
          .intoArray(out, outAt + i);
    }
    plain.gelu(x, at + i, n - i, out, outAt + i);
  }

  @Override
  public Product product(Weight weight) {
    return new VectorPanelProduct(weight.panels().get(), TILES);
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

  @Override
  public void attend(
      AttentionTask task,
      float[] queries,
      float[] output,
      int at,
      int stride,
      AttentionScratch scratch) {
    if (!takes(task)) {
      plain.attend(task, queries, output, at, stride, scratch);
    } else if (task.queries() > 0) {
      attention.attend(task, queries, output, at, stride, scratch);
    }
  }

  @Override
  public void attendTogether(
      AttentionGroup group, float[] queries, float[] output, int stride, AttentionScratch scratch) {
    if (takes(group.tasks().get(0))) {
      attention.attendTogether(group, queries, output, stride, scratch);
    } else {
      plain.attendTogether(group, queries, output, stride, scratch);
    }
  }

  private static boolean takes(AttentionTask task) {
    KvLayout layout = task.spans().block(0).layout();
    return layout.tileTokens() == KvLayout.TILE && layout.headDim() >= VectorMix.CHUNK;
  }
}
