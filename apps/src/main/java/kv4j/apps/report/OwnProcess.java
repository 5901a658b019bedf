package kv4j.apps.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;

/** What the operating system knows of this process. */
final class OwnProcess {
  private static final Path PROC = Path.of("/proc");

  /** Linux counts in these towards programs, whatever its own clock does. */
  private static final long NANOS_PER_TICK = 10_000_000;

  /** Where {@code starttime} is in {@code /proc/self/stat}, after the command's name. */
  private static final int START_TIME = 19;

  private OwnProcess() {}

  /** When it started, as {@link System#nanoTime} would have had it; empty if nobody knows. */
  static OptionalLong startNanos() {
    try {
      return OptionalLong.of(startNanosOnLinux());
    } catch (IOException | RuntimeException e) {
      return ProcessHandle.current()
          .info()
          .startInstant()
          .map(start -> System.nanoTime() - Duration.between(start, Instant.now()).toNanos())
          .map(OptionalLong::of)
          .orElse(OptionalLong.empty());
    }
  }

  /**
   * To 10 ms. {@link ProcessHandle} takes the time of day of the machine's start to be a whole
   * number of seconds here, and so errs by up to one.
   */
  private static long startNanosOnLinux() throws IOException {
    String stat = Files.readString(PROC.resolve("self/stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    String uptime = Files.readString(PROC.resolve("uptime")).split(" ")[0];
    long now = System.nanoTime();
    long age =
        (long) (Double.parseDouble(uptime) * 1e9)
            - Long.parseLong(fields[START_TIME]) * NANOS_PER_TICK;
    if (age < 0) {
      throw new IllegalStateException("a container with an uptime of its own");
    }
    return now - age;
  }

  /** The most memory it has had at once, in bytes, or 0 where the system does not say. */
  static long peakBytes() {
    try {
      return Files.readAllLines(PROC.resolve("self/status")).stream()
          .filter(line -> line.startsWith("VmHWM:"))
          .map(line -> line.replaceAll("\\D", ""))
          .mapToLong(kilobytes -> Long.parseLong(kilobytes) << 10)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }
}
