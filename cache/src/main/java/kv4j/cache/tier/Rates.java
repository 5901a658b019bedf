package kv4j.cache.tier;

import java.time.Duration;

/**
 * What reading a token from the store and computing one take, as averages that follow what was
 * measured last. Thread-safe.
 */
final class Rates {
  private static final double WEIGHT = 0.3; // of what was measured last

  /** So many requests in a row do without the store before one tries whether it has got faster. */
  private static final int PATIENCE = 16;

  private double readNanos; // a token; 0: not known
  private double computeNanos;
  private int declined;

  synchronized void read(int tokens, long nanos) {
    readNanos = average(readNanos, tokens, nanos);
  }

  synchronized void computed(int tokens, long nanos) {
    computeNanos = average(computeNanos, tokens, nanos);
  }

  private static double average(double before, int tokens, long nanos) {
    double now = Math.max(1, (double) nanos / tokens);
    return before == 0 ? now : before + WEIGHT * (now - before);
  }

  /** Whether reading is expected to be faster than computing, or it is time to try. */
  synchronized boolean isReadingWorthIt() {
    boolean slower = computeNanos > 0 && readNanos > computeNanos;
    declined = slower ? (declined + 1) % PATIENCE : 0;
    return !slower || declined == 0;
  }

  /** No longer than computing takes, as far as that is known, but long enough for a hiccup. */
  synchronized Duration patience(int tokens, Duration most, Duration least) {
    if (computeNanos == 0) {
      return most;
    }
    Duration computing = Duration.ofNanos((long) (computeNanos * tokens));
    Duration atLeast = computing.compareTo(least) > 0 ? computing : least;
    return atLeast.compareTo(most) < 0 ? atLeast : most;
  }

  synchronized double readNanosPerToken() {
    return readNanos;
  }

  synchronized double computeNanosPerToken() {
    return computeNanos;
  }
}
