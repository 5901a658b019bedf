package kv4j.apps.cli;

import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.commons.cli.CommandLine;

/** Loads what a third party adds. */
public final class Plugins {
  /** A jar, or a folder of classes. */
  public static final ValueOption<Path> OPTION =
      ValueOption.optional("plugins", "JAR", "jar with caches or models of your own", Path::of);

  private Plugins() {}

  /**
   * A class loader that also sees what {@code --plugins} names, if it is given; it stays open as
   * long as the program.
   *
   * @throws IllegalArgumentException if there is no such file
   */
  public static ClassLoader loader(CommandLine line) {
    ClassLoader own = Plugins.class.getClassLoader();
    return OPTION.find(line).map(jar -> load(jar, own)).orElse(own);
  }

  private static ClassLoader load(Path jar, ClassLoader parent) {
    if (!Files.isReadable(jar)) {
      throw new IllegalArgumentException("--plugins cannot read " + jar);
    }
    try {
      URL[] urls = {jar.toUri().toURL()};
      return new URLClassLoader("plugins", urls, parent);
    } catch (MalformedURLException e) {
      throw new IllegalArgumentException("--plugins cannot read " + jar, e);
    }
  }
}
