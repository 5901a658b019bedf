package kv4j.cache.infinispan;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Keeps a store's folder to one store at a time; a process that dies lets go of it. */
final class FolderLock implements AutoCloseable {
  /**
   * Folders of this process. The lock of a file is a process's, and gone once the process closes
   * the file, however often it has it open.
   */
  private static final Set<Path> TAKEN = ConcurrentHashMap.newKeySet();

  private final Path folder;
  private final FileChannel channel;

  private FolderLock(Path folder, FileChannel channel) {
    this.folder = folder;
    this.channel = channel;
  }

  /**
   * Takes a folder, which is made if there is none.
   *
   * @throws IllegalArgumentException with one sentence if it cannot be written to or is taken
   */
  static FolderLock take(Path folder) {
    try {
      Path real = Files.createDirectories(folder).toRealPath();
      if (TAKEN.add(real)) {
        FileChannel channel = null;
        try {
          channel = lock(real.resolve("kv4j.lock"));
        } finally {
          if (channel == null) {
            TAKEN.remove(real);
          }
        }
        if (channel != null) {
          return new FolderLock(real, channel);
        }
      }
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "the store's folder " + folder + " cannot be written to: " + e, e);
    }
    throw new IllegalArgumentException(
        "the store's folder " + folder + " is in use by another store or process");
  }

  /** Opens and locks a file; null: another process has it locked. */
  private static FileChannel lock(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (channel.tryLock() != null) {
      return channel;
    }
    channel.close();
    return null;
  }

  /** May be called more than once. */
  @Override
  public void close() {
    if (!channel.isOpen()) {
      return; // the folder may be another store's by now
    }
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      TAKEN.remove(folder);
    }
  }
}
