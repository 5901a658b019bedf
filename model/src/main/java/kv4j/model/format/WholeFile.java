package kv4j.model.format;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.Collection;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A file that is written whole or not at all: into another beside it, which then takes its place.
 * What breaks off, be it by a signal, leaves nothing behind. All of kv4j's files are written here.
 */
public final class WholeFile {
  /** Writes a file's content. */
  @FunctionalInterface
  public interface Content {
    void writeTo(FileChannel channel) throws IOException;
  }

  private final Path file;

  private WholeFile(Path file) {
    this.file = file;
  }

  /**
   * A file to write, perhaps in place of one that is there.
   *
   * @throws IllegalArgumentException if its folder is missing or closed, or if it is there and is a
   *     folder, a link, a pipe or a device: replacing these would not do what was meant
   */
  public static WholeFile at(Path file) {
    if (file.toString().isEmpty()) {
      throw new IllegalArgumentException("cannot write a file without a name");
    }
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null || Files.isDirectory(file)) {
      throw cannot(file, "it is a folder");
    }
    if (!Files.isDirectory(folder)) {
      throw cannot(file, "there is no folder " + folder);
    }
    if (Files.isSymbolicLink(file)) {
      throw cannot(file, "it is a link; name the file that it leads to");
    }
    boolean exists = Files.exists(file, LinkOption.NOFOLLOW_LINKS);
    if (exists && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw cannot(file, "it is a pipe or a device; for standard output say -");
    }
    if (!Files.isWritable(folder) || exists && !Files.isWritable(file)) {
      throw cannot(file, "permission denied");
    }
    return new WholeFile(file);
  }

  /**
   * The same, refused if it is one of the files that are read, or there already in a folder that
   * is.
   *
   * @param inputs files and folders, which need not exist
   * @throws IllegalArgumentException if it is
   */
  public WholeFile apartFrom(Collection<Path> inputs) {
    for (Path input : inputs) {
      boolean inside = Files.isDirectory(input) && Files.exists(file) && isSame(folder(), input);
      if (inside || isSame(file, input)) {
        throw cannot(file, "it is " + (inside ? "in " : "") + "what is read");
      }
    }
    return this;
  }

  private static boolean isSame(Path one, Path other) {
    try {
      return Files.isSameFile(one, other);
    } catch (IOException e) { // one is missing
      return one.toAbsolutePath().normalize().equals(other.toAbsolutePath().normalize());
    }
  }

  public Path path() {
    return file;
  }

  private Path folder() {
    return file.toAbsolutePath().getParent();
  }

  /**
   * Writes the file, with the mode that new files have, or that of the one it replaces.
   *
   * @return its size in bytes
   * @throws IllegalArgumentException if that fails, with the file's name and the reason; there is
   *     then what was there before
   */
  public long write(Content content) {
    String number = Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36);
    Path partial = folder().resolve("." + file.getFileName() + "." + number + ".partial");
    Thread cleaner = new Thread(() -> delete(partial));
    Runtime.getRuntime().addShutdownHook(cleaner);
    try {
      try (FileChannel channel =
          FileChannel.open(partial, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        content.writeTo(channel);
      }
      long size = Files.size(partial);
      keepMode(partial);
      Files.move(
          partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return size;
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot write " + file + ": " + reason(e), e);
    } finally {
      delete(partial);
      release(cleaner);
    }
  }

  private void keepMode(Path partial) throws IOException {
    PosixFileAttributeView old = Files.getFileAttributeView(file, PosixFileAttributeView.class);
    if (old != null && Files.exists(file)) {
      Files.setPosixFilePermissions(partial, old.readAttributes().permissions());
    }
  }

  private static void delete(Path partial) {
    try {
      Files.deleteIfExists(partial);
    } catch (IOException e) { // it stays, under its own name
      System.getLogger(WholeFile.class.getName())
          .log(System.Logger.Level.WARNING, "cannot delete " + partial);
    }
  }

  private static void release(Thread cleaner) {
    try {
      Runtime.getRuntime().removeShutdownHook(cleaner);
    } catch (IllegalStateException e) { // which is what is going on: the hook runs
      Thread.yield();
    }
  }

  private static String reason(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof NoSuchFileException) {
      return "its folder is gone";
    }
    String reason = e instanceof FileSystemException file ? file.getReason() : e.getMessage();
    return reason == null ? e.getClass().getSimpleName() : reason;
  }

  private static IllegalArgumentException cannot(Path file, String reason) {
    return new IllegalArgumentException("cannot write " + file + ": " + reason);
  }
}
