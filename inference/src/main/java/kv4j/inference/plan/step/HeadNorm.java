package kv4j.inference.plan.step;

import java.util.Arrays;
import kv4j.inference.kernel.Kernels;
import kv4j.inference.plan.run.NativeMatrix;

/**
 * RMSNorm of each query and key head.
 *
 * @param gains {@code [heads + kvHeads][headDim]}
 */
record HeadNorm(float[][] gains, float epsilon) {
  /**
   * @param gain {@code [heads + kvHeads, headDim]}
   */
  static HeadNorm of(NativeMatrix gain, float epsilon) {
    float[] all = gain.toHeap();
    float[][] gains = new float[gain.rows()][];
    for (int head = 0; head < gains.length; head++) {
      gains[head] = Arrays.copyOfRange(all, head * gain.columns(), (head + 1) * gain.columns());
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
