package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import kv4j.apps.cli.Terminal;

/** Runs the program in this process. */
final class Programs {
  private Programs() {}

  record Outcome(int status, String out, String err) {}

  /** Runs it with a text as standard input. */
  static Outcome run(String in, String... args) {
    return run(in, false, args);
  }

  /** Runs it with a text that somebody types, for whom nothing is drawn. */
  static Outcome runTyped(String in, String... args) {
    return run(in, true, args);
  }

  private static Outcome run(String in, boolean typed, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)),
            new PrintStream(out),
            new PrintStream(err),
            typed,
            false,
            false);
    int status = Main.run(args, terminal);
    return new Outcome(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** Runs what has to go well. */
  static Outcome succeed(String in, String... args) {
    Outcome outcome = run(in, args);
    assertEquals(0, outcome.status(), outcome.err());
    return outcome;
  }

  /** A file of the small trained model. */
  static Path stories(String name) {
    return Path.of("..", "testdata", "stories260K", name);
  }
}
