package kv4j.inference.plan.step;

import kv4j.inference.kernel.Kernels;

/**
 * Cosines and sines of every position, {@code [positions, headDim / 2]} each.
 *
 * @param adjacent whether elements {@code 2i, 2i + 1} are turned together, or {@code i, i + headDim
 *     / 2}
 */
record RotaryTables(float[] cos, float[] sin, boolean adjacent) {
  /** Turns {@code heads} vectors in place. */
  void rotate(Kernels kernels, float[] x, int at, int heads, int headDim, int position) {
    kernels.rotate(x, at, heads, headDim, cos, sin, position * (headDim / 2), adjacent);
  }
}
