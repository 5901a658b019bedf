package kv4j.apps.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The desktop's way to open a file with the program for it. */
public final class Browser {
  private final String command;

  private Browser(String command) {
    this.command = command;
  }

  /**
   * Finds it.
   *
   * @param environment of this process
   * @throws IllegalArgumentException with one sentence if there is no desktop
   */
  public static Browser find(Map<String, String> environment) {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    if (system.startsWith("windows")) {
      return new Browser("explorer.exe");
    }
    if (system.startsWith("mac")) {
      return new Browser("open");
    }
    boolean screen =
        environment.containsKey("DISPLAY") || environment.containsKey("WAYLAND_DISPLAY");
    Optional<String> opener =
        Stream.of(environment.getOrDefault("PATH", "").split(File.pathSeparator))
            .map(folder -> Path.of(folder, "xdg-open"))
            .filter(Files::isExecutable)
            .map(Path::toString)
            .findFirst();
    if (!screen || opener.isEmpty()) {
      throw new IllegalArgumentException(
          "--open needs a desktop, and there is none here that xdg-open would open a page on");
    }
    return new Browser(opener.get());
  }

  /** Opens a file, without waiting for it to be closed. */
  public void open(Path file) throws IOException {
    new ProcessBuilder(command, file.toString())
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }
}
