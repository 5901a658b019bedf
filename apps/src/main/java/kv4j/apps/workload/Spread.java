package kv4j.apps.workload;

import java.util.Arrays;
import java.util.Collection;

/** Order statistics of a set of measurements, all in the unit of the measurements. */
public record Spread(double min, double median, double p95, double max) {
  /** The same of a list. */
  public static Spread of(Collection<Double> values) {
    return of(values.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /**
   * Of at least one value. The median of an even number is the mean of the middle two; p95 is the
   * smallest value that at least 95 % of all do not exceed (nearest rank).
   */
  public static Spread of(double... values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("no values");
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    double median = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    int rank = (int) Math.ceil(0.95 * n);
    return new Spread(sorted[0], median, sorted[Math.max(rank, 1) - 1], sorted[n - 1]);
  }
}
