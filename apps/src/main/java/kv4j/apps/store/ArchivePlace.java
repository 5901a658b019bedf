package kv4j.apps.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import kv4j.cache.block.BlockKey;
import kv4j.cache.store.BlockArchive;
import kv4j.model.format.WholeFile;

/** A file of blocks. */
public final class ArchivePlace implements BlockPlace {
  private final Path file;

  ArchivePlace(Path file) {
    this.file = file;
  }

  /**
   * A file that is there.
   *
   * @throws IllegalArgumentException if it is not
   */
  static ArchivePlace open(Path file) {
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new IllegalArgumentException("cannot read " + file);
    }
    return new ArchivePlace(file);
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException with one sentence before anything is visited, if the file is
   *     not whole
   */
  @Override
  public void forEach(BiConsumer<BlockKey, byte[]> visitor) throws IOException {
    BlockArchive.check(file);
    BlockArchive.read(file, visitor);
  }

  /**
   * Visits what can be read, even if the file is not whole.
   *
   * @return what is wrong with it, in a sentence; empty if it is whole
   */
  Optional<String> forEachThatIsLeft(BiConsumer<BlockKey, byte[]> visitor) throws IOException {
    try {
      BlockArchive.read(file, visitor);
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.of(e.getMessage());
    }
  }

  /**
   * Writes the file, whole or not at all.
   *
   * @param blocks hands all that is to be in it to the visitor that it gets
   * @return its size in bytes
   * @throws IllegalArgumentException if it cannot be written
   */
  long write(Consumer<BiConsumer<BlockKey, byte[]>> blocks) {
    return WholeFile.at(file)
        .write(channel -> BlockArchive.write(Channels.newOutputStream(channel), blocks));
  }

  /** Writes the file anew without them, and without what cannot be read. */
  @Override
  public void remove(Set<BlockKey> keys) {
    write(
        visitor -> {
          try {
            forEachThatIsLeft(
                (key, value) -> {
                  if (!keys.contains(key)) {
                    visitor.accept(key, value);
                  }
                });
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  @Override
  public void close() {}
}
