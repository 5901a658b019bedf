package kv4j.apps.cli;

import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipFile;
import org.apache.commons.cli.CommandLine;

/** Loads what third parties add. */
public final class Plugins {
  /** Jars, or folders of classes. */
  public static final ValueOption<Path> OPTION =
      ValueOption.repeatable(
          "plugins",
          "JAR",
          "jar with caches or models of your own; may be given several times",
          Path::of);

  private Plugins() {}

  /**
   * A class loader that also sees what {@code --plugins} names, if it is given; it stays open as
   * long as the program.
   *
   * @throws IllegalArgumentException if one of them is no jar
   */
  public static ClassLoader loader(CommandLine line) {
    ClassLoader own = Plugins.class.getClassLoader();
    List<Path> jars = OPTION.all(line);
    return jars.isEmpty()
        ? own
        : new URLClassLoader("plugins", jars.stream().map(Plugins::url).toArray(URL[]::new), own);
  }

  private static URL url(Path jar) {
    if (!Files.isReadable(jar)) {
      throw new IllegalArgumentException("--plugins cannot read " + jar);
    }
    if (!Files.isDirectory(jar)) {
      try (ZipFile zip = new ZipFile(jar.toFile())) {
        zip.size();
      } catch (IOException e) {
        throw new IllegalArgumentException("--plugins needs a jar, which " + jar + " is not", e);
      }
    }
    try {
      return jar.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalArgumentException("--plugins cannot read " + jar, e);
    }
  }
}
