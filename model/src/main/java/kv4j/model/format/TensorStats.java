package kv4j.model.format;

import java.nio.FloatBuffer;

/**
 * A summary of a tensor's values.
 *
 * @param elements number of values
 * @param nans values that are not a number
 * @param infinities values that are infinite
 * @param min least finite value; infinity if there is none
 * @param max greatest finite value; negative infinity if there is none
 */
public record TensorStats(long elements, long nans, long infinities, float min, float max) {
  private static final int CHUNK = 1 << 11;
  private static final int SUMS = 1 << 9;

  /** Of the values from a buffer's position to its limit, neither of which changes. */
  public static TensorStats of(FloatBuffer values) {
    FloatBuffer rest = values.duplicate();
    float[] chunk = new float[Math.min(CHUNK, rest.remaining())];
    long nans = 0;
    long infinities = 0;
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    while (rest.hasRemaining()) {
      int count = Math.min(chunk.length, rest.remaining());
      rest.get(chunk, 0, count);
      for (int i = 0; i < count; i++) {
        float value = chunk[i];
        if (Float.isFinite(value)) {
          min = Math.min(min, value);
          max = Math.max(max, value);
        } else if (Float.isNaN(value)) {
          nans++;
        } else {
          infinities++;
        }
      }
    }
    return new TensorStats(values.remaining(), nans, infinities, min, max);
  }

  /**
   * Of a tensor, which is read in pieces of rows.
   *
   * @throws ModelFileException if there is no such tensor, or it cannot be read
   */
  public static TensorStats of(TensorSource source, String name) {
    long[] shape = source.shape(name);
    int rowLength = shape.length == 0 ? 1 : Math.toIntExact(shape[shape.length - 1]);
    long rows = source.elements(name) / rowLength;
    int atOnce = Math.max(1, CHUNK / rowLength);
    FloatBuffer buffer = FloatBuffer.allocate((int) Math.min(rows, atOnce) * rowLength);
    TensorStats stats = of(FloatBuffer.allocate(0));
    for (long row = 0; row < rows; row += atOnce) {
      buffer.clear().limit((int) Math.min(atOnce, rows - row) * rowLength);
      source.readRows(name, row, buffer);
      stats = stats.and(of(buffer.flip()));
    }
    return stats;
  }

  /** Whether some values are all finite; much faster than all there is to know of them. */
  public static boolean allFinite(float[] values, int from, int count) {
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

  /** Whether all values are finite, as weights must be. */
  public boolean finite() {
    return nans == 0 && infinities == 0;
  }

  /** Of these values and others together. */
  public TensorStats and(TensorStats others) {
    return new TensorStats(
        elements + others.elements,
        nans + others.nans,
        infinities + others.infinities,
        Math.min(min, others.min),
        Math.max(max, others.max));
  }
}
