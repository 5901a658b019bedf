package kv4j.apps.serve.stress;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import kv4j.apps.Main;

/** {@code kv4j serve} as a process of its own, whose footprint is its alone; on Linux. */
final class ServerProcess implements AutoCloseable {
  private final Process process;
  private final String url;

  /**
   * What the process takes.
   *
   * @param heap bytes of live objects
   * @param resident bytes of memory, native memory included
   */
  record Footprint(long heap, long resident, int handles, int threads) {
    @Override
    public String toString() {
      return "%,d KB of live objects, %,d KB resident, %d handles, %d threads"
          .formatted(heap / 1024, resident / 1024, handles, threads);
    }
  }

  /**
   * Waits until it answers.
   *
   * @param options of {@code serve}
   */
  ServerProcess(List<String> options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(tool("java"));
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:PretenureSizeThreshold=1m"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--add-modules"));
    command.addAll(List.of("jdk.incubator.vector", "-cp"));
    command.addAll(List.of(System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of("serve", "--port", "0"));
    command.addAll(options);
    process = new ProcessBuilder(command).redirectErrorStream(true).start();
    BufferedReader lines = process.inputReader();
    String line = lines.readLine();
    while (line != null && !line.contains(" answers at ")) {
      System.out.println(line);
      line = lines.readLine();
    }
    if (line == null) {
      throw new IOException("the server did not start");
    }
    url = line.replaceFirst("^.* answers at (\\S+);.*$", "$1");
  }

  private static String tool(String name) {
    return Path.of(System.getProperty("java.home"), "bin", name).toString();
  }

  String url() {
    return url;
  }

  /** After a full collection. */
  Footprint footprint() throws IOException {
    // Collects before it counts; the last line is "Total", objects and bytes.
    String histogram = jcmd("GC.class_histogram").strip();
    String[] total = histogram.substring(histogram.lastIndexOf('\n') + 1).strip().split("\\s+");
    return new Footprint(
        Long.parseLong(total[2]),
        1024 * status("VmRSS"),
        handles(),
        Math.toIntExact(status("Threads")));
  }

  /** Open files, sockets among them. */
  int handles() throws IOException {
    try (Stream<Path> open = Files.list(proc("fd"))) {
      return Math.toIntExact(open.count());
    }
  }

  /** What all threads are at. */
  String threads() throws IOException {
    return jcmd("Thread.print");
  }

  private String jcmd(String what) throws IOException {
    Process jcmd = new ProcessBuilder(tool("jcmd"), Long.toString(process.pid()), what).start();
    return new String(jcmd.getInputStream().readAllBytes());
  }

  private Path proc(String file) {
    return Path.of("/proc", Long.toString(process.pid()), file);
  }

  private long status(String name) throws IOException {
    return Files.readAllLines(proc("status")).stream()
        .filter(line -> line.startsWith(name + ":"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }

  /** Asks it to end, and returns its exit status. */
  int stop() throws InterruptedException {
    process.toHandle().destroy();
    return process.waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
