package kv4j.apps.bench;

import java.util.function.DoubleSupplier;

/** Repeats a measurement until it no longer gets faster. */
final class WarmUp {
  /** A time below this share of the best so far is an improvement. */
  private static final double IMPROVEMENT = 0.98;

  private static final int MOST_ROUNDS = 50;

  private WarmUp() {}

  /**
   * Runs rounds until some in a row have brought no improvement, but no more than 50.
   *
   * @param patience how many in a row
   * @param round runs one and returns its time, in any unit
   * @return rounds run
   */
  static int run(int patience, DoubleSupplier round) {
    double best = Double.POSITIVE_INFINITY;
    int rounds = 0;
    for (int idle = 0; idle < patience && rounds < MOST_ROUNDS; rounds++) {
      double time = round.getAsDouble();
      idle = time < IMPROVEMENT * best ? 0 : idle + 1;
      best = Math.min(best, time);
    }
    return rounds;
  }
}
