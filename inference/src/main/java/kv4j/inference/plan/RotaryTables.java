package kv4j.inference.plan;

import kv4j.inference.kernel.Kernels;

/**
 * Cosines and sines of every position, {@code [positions, headDim / 2]} each.
 *
 * @param adjacent whether elements {@code 2i, 2i + 1} are turned together, or {@code i, i + headDim
 *     / 2}
 */
record RotaryTables(float[] cos, float[] sin, int positions, boolean adjacent) {
  /** Turns {@code heads} vectors in place. */
  void rotate(Kernels kernels, float[] x, int at, int heads, int headDim, int position) {
    if (position >= positions) {
      throw new IllegalArgumentException(
          "position " + position + " is beyond the model's context of " + positions + " tokens");
    }
    kernels.rotate(x, at, heads, headDim, cos, sin, position * (headDim / 2), adjacent);
  }
}
