package kv4j.apps.store;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import kv4j.cache.store.BlockArchive;
import kv4j.cache.store.BlockStores;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;

/**
 * Opens stores and files of blocks by what people call them: {@code disk:DIR}, {@code blocks.kvc}.
 *
 * @param line options to open stores with
 * @param loader where kinds of stores are looked for
 * @param check of what is there
 */
public record Places(CommandLine line, ClassLoader loader, BlockCheck check) {
  private static final String DISK = "disk";

  /** The options. */
  public static List<Option> options() {
    return StoreSpec.openingOptions();
  }

  /**
   * Reads the options.
   *
   * @throws IllegalArgumentException with one sentence if one is wrong
   */
  public static Places read(CommandLine line, ClassLoader loader) {
    return new Places(line, loader, new BlockCheck(StoreSpec.cipher(line)));
  }

  /**
   * Opens a store or a file that is there.
   *
   * @throws IllegalArgumentException with one sentence if it cannot be opened
   */
  public BlockPlace open(String name) {
    if (!isStore(name)) {
      if (!name.endsWith(BlockArchive.EXTENSION)) {
        throw new IllegalArgumentException(
            "%s is neither a store, such as disk:DIR, nor a file of blocks, whose name ends in %s"
                .formatted(name, BlockArchive.EXTENSION));
      }
      StoreSpec.refuseOptionsOfStores(line);
      return archive(name);
    }
    return store(name, true);
  }

  /** Likewise, a file. */
  public ArchivePlace archive(String name) {
    return ArchivePlace.open(file(name));
  }

  /** The file of a name, there or not. */
  public Path file(String name) {
    if (isStore(name) || !name.endsWith(BlockArchive.EXTENSION)) {
      throw new IllegalArgumentException(
          "%s is no file of blocks, whose name ends in %s".formatted(name, BlockArchive.EXTENSION));
    }
    return Path.of(name);
  }

  /**
   * Likewise, a store.
   *
   * @param isThere whether it must be there already, as far as that can be told
   */
  public StorePlace store(String name, boolean isThere) {
    if (!isStore(name)) {
      throw new IllegalArgumentException(
          "%s is no store; there are %s"
              .formatted(name, String.join(", ", BlockStores.providers(loader).keySet())));
    }
    StoreSpec spec = StoreSpec.read(name, line);
    if (isThere
        && spec.kind().equals(DISK)
        && !Files.isDirectory(Path.of(spec.options().argument()))) {
      throw new IllegalArgumentException("there is no store in " + spec.options().argument());
    }
    return StorePlace.open(spec, loader);
  }

  private boolean isStore(String name) {
    return BlockStores.providers(loader).containsKey(name.split(":", 2)[0]);
  }
}
