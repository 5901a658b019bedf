package kv4j.model.format;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * A file of any size, its bytes little-endian, read where it is asked for.
 *
 * <p>Tensors go through buffers of a few pages that stay in a core's cache. Mapping them would cost
 * a fault for every few pages, and would count as the process's memory beside what is made of them.
 */
final class StoredFile implements Closeable {
  /** Bytes read at once. */
  private static final int PIECE = 1 << 17;

  /** Copies bytes from an offset on to a buffer, and says how many; -1 if there are no more. */
  private interface Bytes {
    int read(ByteBuffer out, long at) throws IOException;
  }

  private final Path path;
  private final Bytes bytes;
  private final Closeable opened;
  private final long size;
  private final Queue<ByteBuffer> buffers = new ConcurrentLinkedQueue<>();

  private StoredFile(Path path, Bytes bytes, Closeable opened, long size) {
    this.path = path;
    this.bytes = bytes;
    this.opened = opened;
    this.size = size;
  }

  /**
   * @throws ModelFileException if there is no such file, or it cannot be read
   */
  static StoredFile open(Path path) {
    if (!Files.exists(path)) {
      throw new ModelFileException(path.toString(), "there is no such file or folder");
    }
    // Opening a pipe would wait for its writer.
    if (!Files.isRegularFile(path)) {
      throw new ModelFileException(path.toString(), "is not a file");
    }
    try {
      FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
      return new StoredFile(path, channel::read, channel, channel.size());
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  /**
   * A file whose bytes are in memory.
   *
   * @param name what messages call it
   */
  static StoredFile inMemory(Path name, byte[] content) {
    Bytes bytes =
        (out, at) -> {
          int count = (int) Math.min(out.remaining(), content.length - at);
          if (count <= 0) {
            return -1;
          }
          out.put(content, (int) at, count);
          return count;
        };
    return new StoredFile(name, bytes, () -> {}, content.length);
  }

  Path path() {
    return path;
  }

  /** Bytes in the file when it was opened. */
  long size() {
    return size;
  }

  /** The exception for something wrong with this file. */
  ModelFileException wrong(String what) {
    return new ModelFileException(path.toString(), what);
  }

  /**
   * Copies bytes out of the file until a buffer is full.
   *
   * @throws ModelFileException if the file ends before, or cannot be read
   */
  void copy(long at, ByteBuffer out) {
    try {
      while (out.hasRemaining()) {
        int read = bytes.read(out, at);
        if (read < 0) {
          throw new EOFException("it has become shorter");
        }
        at += read;
      }
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  /** The {@code count} bytes from {@code at}, a range in the file. */
  ByteBuffer copy(long at, int count) {
    ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    copy(at, bytes);
    return bytes.flip();
  }

  /**
   * Shows a range of the file to a reader, piece by piece; a piece must not be kept.
   *
   * @param unit pieces have a multiple of so many bytes
   * @throws ModelFileException if the file cannot be read
   */
  void read(long at, long count, int unit, Consumer<ByteBuffer> reader) {
    int most = (int) Math.min(count, PIECE / unit * unit);
    ByteBuffer piece = take(most);
    for (long done = 0; done < count; done += most) {
      piece.clear().limit((int) Math.min(most, count - done));
      copy(at + done, piece);
      reader.accept(piece.flip());
    }
    buffers.add(piece);
  }

  private ByteBuffer take(int size) {
    ByteBuffer buffer = buffers.poll();
    return buffer != null && buffer.capacity() >= size
        ? buffer
        : ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void close() {
    try {
      opened.close();
    } catch (IOException e) {
      // Nothing was written, so nothing is lost.
    }
  }

  private static ModelFileException unreadable(Path path, Throwable cause) {
    String reason = ModelFileException.reason(path.toString(), cause);
    return new ModelFileException(path.toString(), "cannot be read (" + reason + ")", cause);
  }
}
