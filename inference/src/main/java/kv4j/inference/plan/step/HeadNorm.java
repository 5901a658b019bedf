package kv4j.inference.plan.step;

import java.util.Arrays;
import kv4j.inference.kernel.Kernels;

/**
 * RMSNorm of each query and key head.
 *
 * @param gains {@code [heads + kvHeads][headDim]}
 */
record HeadNorm(float[][] gains, float epsilon) {
  /**
   * @param gain {@code [heads + kvHeads, headDim]}
   */
  static HeadNorm of(float[] gain, int headDim, float epsilon) {
    float[][] gains = new float[gain.length / headDim][];
    for (int head = 0; head < gains.length; head++) {
      gains[head] = Arrays.copyOfRange(gain, head * headDim, (head + 1) * headDim);
    }
    return new HeadNorm(gains, epsilon);
  }

  /** Norms {@code heads} vectors in place, with the gains from {@code first} on. */
  void apply(Kernels kernels, float[] x, int at, int first, int heads, int headDim) {
    for (int head = 0; head < heads; head++) {
      int start = at + head * headDim;
      kernels.rmsNorm(x, start, gains[first + head], epsilon, headDim, x, start);
    }
  }
}
