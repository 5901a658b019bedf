package kv4j.apps;

import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;

/** Loads what a third party adds. */
final class Plugins {
  private Plugins() {}

  /**
   * A class loader that also sees a jar or a folder of classes; it stays open as long as the
   * program.
   *
   * @throws IllegalArgumentException if there is no such file
   */
  static ClassLoader load(Path jar) {
    if (!Files.isReadable(jar)) {
      throw new IllegalArgumentException("--plugins cannot read " + jar);
    }
    try {
      URL[] urls = {jar.toUri().toURL()};
      return new URLClassLoader("plugins", urls, Plugins.class.getClassLoader());
    } catch (MalformedURLException e) {
      throw new IllegalArgumentException("--plugins cannot read " + jar, e);
    }
  }
}
