package kv4j.cache.block;

/**
 * Turns what a cache of fewer bits keeps back into floats. This form is plain Java; kernels may
 * bring a faster one. All forms give the same floats.
 */
public class KvExpander {
  /** Consecutive IEEE half-precision elements. */
  public void f16(short[] in, int from, int count, float[] out, int to) {
    for (int i = 0; i < count; i++) {
      out[to + i] = Float16.fromHalf(in[from + i]);
    }
  }

  /** Consecutive bfloat16 elements. */
  public void bf16(short[] in, int from, int count, float[] out, int to) {
    for (int i = 0; i < count; i++) {
      out[to + i] = Float16.fromBrain(in[from + i]);
    }
  }

  /** Consecutive bytes of one vector, which share a scale. */
  public void i8(byte[] in, int from, int count, float scale, float[] out, int to) {
    for (int i = 0; i < count; i++) {
      out[to + i] = in[from + i] * scale;
    }
  }

  /**
   * One tile of keys in bytes, {@code [headDim, tileTokens]}.
   *
   * @param scales one per token, from {@code scalesAt} on
   */
  public void i8Tile(
      byte[] in,
      int from,
      int headDim,
      int tileTokens,
      float[] scales,
      int scalesAt,
      float[] out,
      int to) {
    for (int i = 0; i < headDim * tileTokens; i += tileTokens) {
      for (int t = 0; t < tileTokens; t++) {
        out[to + i + t] = in[from + i + t] * scales[scalesAt + t];
      }
    }
  }
}
