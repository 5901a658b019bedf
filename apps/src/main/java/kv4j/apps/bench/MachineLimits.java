package kv4j.apps.bench;

import kv4j.model.TransformerConfig;

/**
 * The most that this machine can do, as measured, and the least time that a pass can therefore
 * take.
 *
 * @param gigaflops fp32 operations per nanosecond, a fused multiply-add counted as two
 * @param gigaflopsBy what reached that: {@code vector} (a loop of fused multiply-adds on the Java
 *     Vector API) or {@code blas} (matrix products)
 * @param gigabytesPerSecond memory read, 10⁹ bytes a second
 */
public record MachineLimits(double gigaflops, String gigaflopsBy, double gigabytesPerSecond) {
  public MachineLimits {
    if (!(gigaflops > 0) || !(gigabytesPerSecond > 0)) {
      throw new IllegalArgumentException(
          "limits must be positive, not %s GFLOP/s and %s GB/s"
              .formatted(gigaflops, gigabytesPerSecond));
    }
  }

  /**
   * Measures arithmetic and memory on some threads at once, for a second or two. Nothing else
   * should run meanwhile.
   *
   * @param sweepBytes of an array to read, in all; much more than the caches have
   */
  public static MachineLimits measure(int threads, long sweepBytes) {
    try (Team team = new Team(threads)) {
      double vector = Arithmetic.vectorFlopsPerSecond(team);
      double blas = Arithmetic.blasFlopsPerSecond(team);
      return new MachineLimits(
          Math.max(vector, blas) / 1e9,
          vector > blas ? "vector" : "blas",
          MemorySweep.bytesPerSecond(team, sweepBytes) / 1e9);
    }
  }

  /** The better of two measurements, figure by figure. */
  public MachineLimits or(MachineLimits other) {
    MachineLimits faster = gigaflops >= other.gigaflops ? this : other;
    return new MachineLimits(
        faster.gigaflops,
        faster.gigaflopsBy,
        Math.max(gigabytesPerSecond, other.gigabytesPerSecond));
  }

  /**
   * The least a pass can take, ms: the time of its operations or that of reading every weight once,
   * whichever is longer. The keys and values that it reads too are left out.
   */
  public double millis(TransformerConfig config, ReadWeights weights, Pass pass) {
    double arithmetic = Flops.pass(config, pass.before(), pass.rows()) / (gigaflops * 1e6);
    double memory = weights.total() / (gigabytesPerSecond * 1e6);
    return Math.max(arithmetic, memory);
  }
}
