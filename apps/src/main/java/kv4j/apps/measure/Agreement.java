package kv4j.apps.measure;

import kv4j.inference.GenerationResult;

/**
 * Whether runs of the same requests gave the same tokens, and how far apart their logits were.
 *
 * <p>Logits may differ by rounding, up to 1e-4 × max(1, largest |logit|). So where the reference
 * has two tokens closer together than twice that, either is right, and the runs are compared no
 * further: from there on they go on from different tokens.
 */
final class Agreement {
  private static final double RELATIVE_TOLERANCE = 1e-4;

  private boolean identical = true;
  private double maxDifference;
  private double largestLogit;

  /** Takes two greedy runs of one request, with their logits; the shorter one is a beginning. */
  void compare(GenerationResult reference, GenerationResult other) {
    int steps = Math.min(reference.tokens().length, other.tokens().length);
    for (int step = 0; step < steps; step++) {
      float[] expected = reference.logits()[step];
      float[] actual = other.logits()[step];
      double largest = 0;
      for (int i = 0; i < expected.length; i++) {
        largest = Math.max(largest, Math.abs(expected[i]));
        maxDifference = Math.max(maxDifference, Math.abs((double) expected[i] - actual[i]));
      }
      largestLogit = Math.max(largestLogit, largest);
      int token = reference.tokens()[step];
      int otherToken = other.tokens()[step];
      if (token != otherToken) {
        double gap = (double) expected[token] - expected[otherToken];
        identical &= isRounding(gap, largest);
        return;
      }
    }
  }

  /** Whether two tokens' logits are so close together that rounding may decide between them. */
  static boolean asGoodAsEqual(float[] logits, int token, int other) {
    double largest = 0;
    for (float logit : logits) {
      largest = Math.max(largest, Math.abs(logit));
    }
    return isRounding(Math.abs((double) logits[token] - logits[other]), largest);
  }

  private static boolean isRounding(double gap, double largest) {
    return gap < 2 * tolerance(largest);
  }

  boolean identical() {
    return identical;
  }

  double maxDifference() {
    return maxDifference;
  }

  /** What the largest difference may be at most. */
  double tolerance() {
    return tolerance(largestLogit);
  }

  private static double tolerance(double largestLogit) {
    return RELATIVE_TOLERANCE * Math.max(1, largestLogit);
  }
}
