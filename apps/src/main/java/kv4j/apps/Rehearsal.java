package kv4j.apps;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import kv4j.apps.cli.Terminal;

/**
 * Runs most commands once, on a model that is soon done, and shows nobody. A JVM that is told to
 * ({@code -XX:ArchiveClassesAtExit}) then leaves an archive of the classes that this took, with
 * which others start faster: the launchers have one made of each build.
 *
 * <p>The classes of vectors stay out of it, as kernels are plain: with them in an archive, JDK 17's
 * compiler makes an object of every vector, and a prefill took sixteen times as long.
 */
final class Rehearsal {
  /** What it is called on the command line; no help lists it. */
  static final String NAME = "rehearse";

  private Rehearsal() {}

  /** Returns 0 if all went well. */
  static int run() {
    System.setProperty("kv4j.kernels", "plain");
    try {
      Path folder = Files.createTempDirectory("kv4j-rehearsal");
      Path model = folder.resolve("model.gguf");
      Path json = folder.resolve("out.json");
      try {
        return run(model.toString(), json.toString());
      } finally {
        Files.deleteIfExists(model);
        Files.deleteIfExists(json);
        Files.delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int run(String model, String json) {
    return play("--help")
        | play("generate", "--help")
        | play("export", "--model-preset", "tiny", "--gguf", model)
        | play("inspect", model, "--json", json)
        | play("generate", "--prompt", "x", "--new-tokens", "2", "--model", model, "--json", json)
        | play("generate", "--prompt", "x", "--new-tokens", "2", "--model-preset", "tiny")
        | play("compare", "--requests", "2", "--new-tokens", "2", "--model-preset", "tiny")
        | play("chat", "--new-tokens", "2", "--model-preset", "tiny");
  }

  private static int play(String... args) {
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
    byte[] typed = "Hi\n".getBytes(StandardCharsets.UTF_8);
    return Main.run(
        args, new Terminal(new ByteArrayInputStream(typed), nowhere, nowhere, false, false));
  }
}
