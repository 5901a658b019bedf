package kv4j.apps.bench;

import java.util.Arrays;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Measures bytes read from memory per second. Each thread reads an array of its own over and over,
 * front to back, at several places at once: one stream alone does not keep memory busy.
 */
final class MemorySweep {
  private static final int STREAMS = 4;

  /** Elements of each stream that are read at a time. */
  private static final int STRETCH = 1 << 15;

  private final long[] elements;
  private final int streamLength;
  private int at;
  private long sum;

  private MemorySweep(int stretches) {
    streamLength = stretches * STRETCH;
    elements = new long[STREAMS * streamLength];
    Arrays.fill(elements, 1);
  }

  /**
   * Of all threads together.
   *
   * @param bytes of all their arrays; at least 1 MiB for each thread is taken
   */
  static double bytesPerSecond(Team team, long bytes) {
    long perStretch = (long) STREAMS * STRETCH * Long.BYTES;
    long mostStretches = (Integer.MAX_VALUE - 8L) / (STREAMS * STRETCH);
    long stretches = Math.max(1, Math.min(bytes / team.threads() / perStretch, mostStretches));
    MemorySweep[] sweeps =
        Stream.generate(() -> new MemorySweep((int) stretches))
            .limit(team.threads())
            .toArray(MemorySweep[]::new);
    double perSecond = team.timesPerSecond(thread -> sweeps[thread].read());
    if (LongStream.of(Stream.of(sweeps).mapToLong(sweep -> sweep.sum).toArray()).sum() == 0) {
      throw new IllegalStateException("nothing was read");
    }
    return perSecond * perStretch;
  }

  /** Reads the next stretch of every stream. */
  private void read() {
    sum += sum(elements, at, streamLength);
    at = (at + STRETCH) % streamLength;
  }

  private static long sum(long[] x, int at, int streamLength) {
    int at1 = at + streamLength;
    int at2 = at1 + streamLength;
    int at3 = at2 + streamLength;
    long sum0 = 0;
    long sum1 = 0;
    long sum2 = 0;
    long sum3 = 0;
    for (int i = 0; i < STRETCH; i++) {
      sum0 += x[at + i];
      sum1 += x[at1 + i];
      sum2 += x[at2 + i];
      sum3 += x[at3 + i];
    }
    return sum0 + sum1 + sum2 + sum3;
  }
}
