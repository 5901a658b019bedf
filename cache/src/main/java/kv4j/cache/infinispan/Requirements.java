package kv4j.cache.infinispan;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import kv4j.cache.store.StoreOptions;

/** What must hold before a store is opened; each failure is an {@link IllegalArgumentException}. */
final class Requirements {
  /** The least limit of files under which their granularity does not matter. */
  private static final long LEAST_FILE_BYTES = 16L << 20;

  private Requirements() {}

  static void requireInfinispan(String store) {
    try {
      Class.forName("org.infinispan.manager.DefaultCacheManager");
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException(
          "the store " + store + " needs infinispan-core on the class path", e);
    }
  }

  /**
   * The folder that an argument names.
   *
   * @param form of the argument
   */
  static Path folder(String argument, String form) {
    try {
      if (!argument.isBlank()) {
        return Path.of(argument).toAbsolutePath();
      }
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("no folder can be named " + argument, e);
    }
    throw new IllegalArgumentException("the store needs a folder: " + form);
  }

  static void requireFileBytes(StoreOptions options) {
    if (options.maxBytes().orElse(LEAST_FILE_BYTES) < LEAST_FILE_BYTES) {
      throw new IllegalArgumentException(
          "a store on disk needs at least %d bytes, not %d"
              .formatted(LEAST_FILE_BYTES, options.maxBytes().getAsLong()));
    }
  }
}
