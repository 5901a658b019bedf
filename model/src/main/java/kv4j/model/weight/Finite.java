package kv4j.model.weight;

/** Whether values are numbers, as weights must be. */
public final class Finite {
  private static final int SUMS = 1 << 9;

  private Finite() {}

  /** Whether some values are all finite. */
  public static boolean all(float[] values, int from, int count) {
    // A value less itself is 0 or NaN. Sums side by side are vectors to the compiler; one is not.
    float[] sums = new float[Math.min(SUMS, count)];
    int end = from + count;
    for (int at = from; at < end; at += SUMS) {
      int length = Math.min(SUMS, end - at);
      for (int i = 0; i < length; i++) {
        sums[i] += values[at + i] - values[at + i];
      }
    }
    for (float sum : sums) {
      if (sum != 0) {
        return false;
      }
    }
    return true;
  }
}
