package kv4j.inference.kernel;

/**
 * The arithmetic of a transformer layer. All of it works on rows in Java heap arrays, given by the
 * array and the index of the first element; nothing is allocated once a thread has its scratch. One
 * instance serves all threads.
 *
 * <p>There is a plain form and one on the Java Vector API; {@link #best()} picks. They differ in
 * the last bits of a result.
 */
public interface Kernels {
  /**
   * The fastest form this JVM can run, chosen once. The system property {@value
   * KernelChoice#PROPERTY} ({@code plain} or {@code vector}) forces one.
   */
  static Kernels best() {
    return KernelChoice.BEST;
  }

  /** {@code plain} or {@code vector} and its width, for reports. */
  String name();

  /**
   * RMSNorm: {@code out[i] = x[i] / sqrt(mean(x²) + epsilon) * gain[i]}.
   *
   * @param n elements of the row; {@code gain} has as many
   * @param out may be {@code x} itself at the same index
   */
  void rmsNorm(float[] x, int xAt, float[] gain, float epsilon, int n, float[] out, int outAt);

  /** LayerNorm: {@code out[i] = (x[i] - mean) / sqrt(variance + epsilon) * gain[i] + bias[i]}. */
  void layerNorm(
      float[] x, int xAt, float[] gain, float[] bias, float epsilon, int n, float[] out, int outAt);

  /**
   * Rotary position embedding of one row, in place: turns pair {@code i} of each head by the angle
   * whose cosine and sine are {@code cos[tableAt + i]} and {@code sin[tableAt + i]}.
   *
   * @param x {@code [heads, headDim]} at {@code at}
   * @param cos {@code [.., headDim / 2]}
   * @param adjacent pairs are elements {@code 2i} and {@code 2i + 1}; else {@code i} and {@code i +
   *     headDim / 2}
   */
  void rotate(
      float[] x,
      int at,
      int heads,
      int headDim,
      float[] cos,
      float[] sin,
      int tableAt,
      boolean adjacent);

  /**
   * SwiGLU: {@code out[i] = silu(gate[i]) * up[i]}, where {@code silu(g) = g / (1 + exp(-g))}.
   *
   * @param gateUp {@code n} gates, then {@code n} ups
   * @param out may be {@code gateUp} itself at the same index
   */
  void swiGlu(float[] gateUp, int at, int n, float[] out, int outAt);

  /** GELU in GPT-2's tanh approximation: {@code x/2 (1 + tanh(sqrt(2/π) (x + 0.044715 x³)))}. */
  void gelu(float[] x, int at, int n, float[] out, int outAt);

  /** Products with a matrix of weights. */
  Product product(Weight weight);

  /** {@code x[i] += delta[i]}. */
  void add(float[] x, int xAt, float[] delta, int deltaAt, int n);

  /**
   * Causal attention. Keys and values are read where they lie; caches of fewer bits are expanded
   * into the scratch once per call, so there prefer calls of many rows.
   *
   * @param queries rotated queries; head {@code g} of the group in row {@code r} begins at {@code
   *     at + (r - fromRow) * stride + g * headDim}
   * @param output laid out likewise; overwritten
   * @param scratch the calling thread's own
   */
  void attend(
      AttentionTask task,
      float[] queries,
      float[] output,
      int at,
      int stride,
      AttentionScratch scratch);

  /**
   * The same for several sequences that share their first blocks, which are read once for all.
   *
   * @param stride as of {@link #attend}
   */
  void attendTogether(
      AttentionGroup group, float[] queries, float[] output, int stride, AttentionScratch scratch);
}
