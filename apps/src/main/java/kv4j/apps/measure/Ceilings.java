package kv4j.apps.measure;

import java.util.stream.DoubleStream;
import kv4j.apps.workload.Speedup;

/**
 * The most that a prefix cache can speed a workload up: with {@code f} the cost of prefilling a
 * whole prompt and {@code g} that of the pass over only what is not cached, {@code Σf ÷ Σ(f where
 * cold, else g)}. For N requests of one length, the first of them cold, that is {@code N·f ÷ (f +
 * (N−1)·g)}. For latency, the cost of decoding is added to both sides of the ratio.
 */
final class Ceilings {
  private Ceilings() {}

  /**
   * Costs in any one unit, time or operations.
   *
   * @param full per request, of prefilling its whole prompt
   * @param warm per request, of prefilling what the cache leaves; {@code full} where it is cold
   * @param decode per request, of all that follows the first token
   */
  static Speedup of(double[] full, double[] warm, double[] decode) {
    double without = DoubleStream.of(full).sum();
    double with = DoubleStream.of(warm).sum();
    double rest = DoubleStream.of(decode).sum();
    double prefill = without / with;
    return new Speedup(prefill, (without + rest) / (with + rest), prefill);
  }
}
