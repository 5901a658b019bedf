package kv4j.cache.infinispan;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** A {@link StoreChild} in a JVM of its own, and what it said. */
final class StoreProcess implements AutoCloseable {
  /** Longer than anything takes on a busy machine; only failures wait so long. */
  private static final long PATIENCE_SECONDS = 120;

  private static final String END = "";

  private final Process process;
  private final PrintStream commands;
  private final Thread reader;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

  private StoreProcess(List<String> command, Consumer<String> heard) throws IOException {
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    commands = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    reader = new Thread(() -> read(heard), "store process");
    reader.setDaemon(true);
    reader.start();
  }

  /**
   * Starts a process.
   *
   * @param options of {@link StoreChild}
   */
  static StoreProcess start(String... options) throws IOException {
    return start(List.of(), line -> {}, options);
  }

  /**
   * Starts a process.
   *
   * @param prefix of the command, such as one that sets a namespace
   * @param heard told each line before it can be waited for
   */
  static StoreProcess start(List<String> prefix, Consumer<String> heard, String... options)
      throws IOException {
    return start(prefix, heard, jar -> true, options);
  }

  /**
   * Starts a process.
   *
   * @param prefix of the command, such as one that sets a namespace
   * @param heard told each line before it can be waited for
   * @param seen parts of the class path that it has
   */
  static StoreProcess start(
      List<String> prefix, Consumer<String> heard, Predicate<String> seen, String... options)
      throws IOException {
    List<String> command = new ArrayList<>(prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-Xmx512m",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Dorg.jboss.logging.provider=slf4j",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
            "-cp",
            Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(seen)
                .collect(Collectors.joining(File.pathSeparator)),
            StoreChild.class.getName()));
    command.addAll(List.of(options));
    return new StoreProcess(command, heard);
  }

  private void read(Consumer<String> heard) {
    try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        heard.accept(line);
        lines.add(line);
      }
    } catch (IOException e) { // killed
      heard.accept("ended: " + e.getMessage());
    } finally {
      lines.add(END);
    }
  }

  void say(String command) {
    commands.println(command);
  }

  /** The next line that fits, passing over others. */
  String await(Predicate<String> fits) throws InterruptedException {
    while (true) {
      String line = lines.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      if (line == null) {
        throw new AssertionError("no such line in " + PATIENCE_SECONDS + " s");
      }
      if (line.equals(END)) {
        throw new AssertionError("the process ended");
      }
      if (fits.test(line)) {
        return line;
      }
    }
  }

  /** The next line that begins so, without that beginning. */
  String await(String beginning) throws InterruptedException {
    return await(line -> line.startsWith(beginning)).substring(beginning.length());
  }

  /** Says something and waits for a line that begins in some way. */
  String ask(String command, String beginning) throws InterruptedException {
    say(command);
    return await(beginning);
  }

  /** Waits until it knows of so many processes, itself included. */
  void awaitNodes(int count) throws InterruptedException {
    until(count + " nodes", () -> ask("nodes", "nodes ").equals(Integer.toString(count)));
  }

  /** Asks again and again. */
  static void until(String what, Condition condition) throws InterruptedException {
    long start = System.nanoTime();
    while (!condition.holds()) {
      if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
        throw new AssertionError("never: " + what);
      }
    }
  }

  /** Something that comes to hold. */
  interface Condition {
    boolean holds() throws InterruptedException;
  }

  /** Whether it finds a value whole. */
  boolean finds(int number) throws InterruptedException {
    return ask("get " + number, "got " + number + " ").equals("0");
  }

  /**
   * Puts a value again and again until another process finds it: where parts of a cluster have just
   * met, or are about to notice that they had parted, what one of them was given may be lost.
   */
  void putUntilFound(int number, int bytes, StoreProcess other) throws InterruptedException {
    until(
        "value " + number,
        () -> {
          String key = number + " 0";
          say("put " + number + " " + bytes);
          await(line -> line.equals("put " + key) || line.equals("failed " + key));
          return other.finds(number);
        });
  }

  boolean isAlive() {
    return process.isAlive();
  }

  long pid() {
    return process.pid();
  }

  /** Sends a signal, by its name without SIG. */
  void signal(String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(pid())).start().waitFor();
  }

  /** Kills it with SIGKILL and waits until all that it said is read. */
  void kill() throws InterruptedException {
    process.toHandle().destroyForcibly(); // the process's own method closes its output, unread
    reader.join();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
