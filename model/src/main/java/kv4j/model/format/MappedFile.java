package kv4j.model.format;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/**
 * A file of any size, its bytes little-endian: copied for headers, memory-mapped for tensors.
 *
 * <p>Mappings live as long as one read and cover a window of the file at a time, so that the file's
 * pages do not stay in the process beside what was made of them, nothing can touch a mapping after
 * it is gone, and no size is too large.
 */
final class MappedFile implements Closeable {
  private static final int WINDOW = 1 << 25;

  private final String origin;
  private final Path path;
  private final FileChannel channel;
  private final long size;

  private MappedFile(Path path, FileChannel channel, long size) {
    this.origin = path.toString();
    this.path = path;
    this.channel = channel;
    this.size = size;
  }

  /**
   * @throws ModelFileException if there is no such file, or it cannot be read
   */
  static MappedFile open(Path path) {
    if (!Files.exists(path)) {
      throw new ModelFileException(path.toString(), "there is no such file or folder");
    }
    // Opening a pipe would wait for its writer.
    if (!Files.isRegularFile(path)) {
      throw new ModelFileException(path.toString(), "is not a file");
    }
    try {
      FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
      return new MappedFile(path, channel, channel.size());
    } catch (IOException e) {
      throw unreadable(path.toString(), e);
    }
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
    return new ModelFileException(origin, what);
  }

  /**
   * Copies bytes out of the file until a buffer is full.
   *
   * @throws ModelFileException if the file ends before, or cannot be read
   */
  void copy(long at, ByteBuffer out) {
    try {
      while (out.hasRemaining()) {
        int read = channel.read(out, at);
        if (read < 0) {
          throw new EOFException("it has become shorter");
        }
        at += read;
      }
    } catch (IOException e) {
      throw unreadable(origin, e);
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
  void map(long at, long count, int unit, Consumer<ByteBuffer> reader) {
    long window = WINDOW / unit * unit;
    for (long done = 0; done < count; done += window) {
      long piece = Math.min(window, count - done);
      try (Mapping mapping = Mapper.BEST.map(channel, at + done, piece)) {
        reader.accept(mapping.bytes().order(ByteOrder.LITTLE_ENDIAN));
      } catch (IOException | InternalError e) { // the error: shortened while mapped
        throw unreadable(origin, e);
      }
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // Nothing was written, so nothing is lost.
    }
  }

  private static ModelFileException unreadable(String origin, Throwable cause) {
    String reason = ModelFileException.reason(origin, cause);
    return new ModelFileException(origin, "cannot be read (" + reason + ")", cause);
  }

  /** A part of a file in memory, until it is closed. */
  private record Mapping(ByteBuffer bytes, AutoCloseable unmap) implements AutoCloseable {
    @Override
    public void close() {
      try {
        unmap.close();
      } catch (Exception e) {
        throw new IllegalStateException("cannot unmap a file", e);
      }
    }
  }

  /**
   * Maps a part of a file so that it can be unmapped. Java has a way to do so since version 22;
   * before, there is an unofficial one, which later versions warn of.
   */
  private interface Mapper {
    Mapper BEST = best();

    Mapping map(FileChannel channel, long at, long count) throws IOException;

    private static Mapper best() {
      try {
        return new ArenaMapper();
      } catch (ReflectiveOperationException before22) {
        try {
          return new CleanerMapper();
        } catch (ReflectiveOperationException | RuntimeException e) {
          // The garbage collector unmaps, at some time.
          return (channel, at, count) ->
              new Mapping(channel.map(MapMode.READ_ONLY, at, count), () -> {});
        }
      }
    }
  }

  /**
   * {@code channel.map(READ_ONLY, at, count, arena).asByteBuffer()}, then {@code arena.close()}.
   */
  private static final class ArenaMapper implements Mapper {
    private final MethodHandle newArena;
    private final MethodHandle mapInArena;

    ArenaMapper() throws ReflectiveOperationException {
      Class<?> arena = Class.forName("java.lang.foreign.Arena");
      Class<?> segment = Class.forName("java.lang.foreign.MemorySegment");
      MethodHandles.Lookup lookup = MethodHandles.publicLookup();
      MethodHandle map =
          lookup.findVirtual(
              FileChannel.class,
              "map",
              MethodType.methodType(segment, MapMode.class, long.class, long.class, arena));
      MethodHandle asBuffer =
          lookup.findVirtual(segment, "asByteBuffer", MethodType.methodType(ByteBuffer.class));
      newArena = lookup.findStatic(arena, "ofConfined", MethodType.methodType(arena));
      mapInArena = MethodHandles.filterReturnValue(map, asBuffer);
    }

    @Override
    public Mapping map(FileChannel channel, long at, long count) throws IOException {
      try {
        AutoCloseable arena = (AutoCloseable) newArena.invoke();
        return new Mapping(
            (ByteBuffer) mapInArena.invoke(channel, MapMode.READ_ONLY, at, count, arena), arena);
      } catch (IOException | RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException("cannot map a file", e);
      }
    }
  }

  /** {@code channel.map(READ_ONLY, at, count)}, then {@code unsafe.invokeCleaner(buffer)}. */
  private static final class CleanerMapper implements Mapper {
    private final Object unsafe;
    private final Method clean;

    CleanerMapper() throws ReflectiveOperationException {
      Class<?> type = Class.forName("sun.misc.Unsafe");
      Field instance = type.getDeclaredField("theUnsafe");
      instance.setAccessible(true);
      unsafe = instance.get(null);
      clean = type.getMethod("invokeCleaner", ByteBuffer.class);
    }

    @Override
    public Mapping map(FileChannel channel, long at, long count) throws IOException {
      ByteBuffer mapped = channel.map(MapMode.READ_ONLY, at, count);
      return new Mapping(mapped, () -> clean.invoke(unsafe, mapped));
    }
  }
}
