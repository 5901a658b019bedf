package kv4j.cache.store;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;
import kv4j.cache.block.BlockKey;

/**
 * A file of values and their keys, to carry from one store to another; its name ends in {@value
 * #EXTENSION}. Big-endian; lengths in bytes:
 *
 * <pre>
 * magic "KVC4" 4, version 4
 * for each value: its length 4, its key 32, the value
 * -1 4, how many values 8, CRC-32C of all before 4
 * </pre>
 *
 * <p>It is written and read value by value, so that it may be larger than memory.
 */
public final class BlockArchive {
  /** What names of such files end in. */
  public static final String EXTENSION = ".kvc";

  private static final int MAGIC = 0x4B564334;
  private static final int VERSION = 1;
  private static final int END = -1;
  private static final int BUFFER_BYTES = 1 << 16;

  private BlockArchive() {}

  /**
   * Writes values, as {@link BlockStore#forEach} visits them.
   *
   * @param blocks hands all that is to be written to the visitor that it gets
   * @return how many there were
   */
  public static long write(OutputStream file, Consumer<BiConsumer<BlockKey, byte[]>> blocks)
      throws IOException {
    CRC32C checksum = new CRC32C();
    OutputStream buffered = new BufferedOutputStream(file, BUFFER_BYTES);
    DataOutputStream out = new DataOutputStream(new CheckedOutputStream(buffered, checksum));
    out.writeInt(MAGIC);
    out.writeInt(VERSION);
    long[] count = new long[1];
    try {
      blocks.accept(
          (key, value) -> {
            try {
              out.writeInt(value.length);
              out.write(key.toBytes());
              out.write(value);
              count[0]++;
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    out.writeInt(END);
    out.writeLong(count[0]);
    out.writeInt((int) checksum.getValue());
    out.flush();
    return count[0];
  }

  /**
   * Reads a file to its end, to know that it is whole before anything of it is used.
   *
   * @return how many values there are
   * @throws IllegalArgumentException with one sentence if it is no archive, cut short or damaged
   */
  public static long check(Path file) throws IOException {
    return read(file, (key, value) -> {});
  }

  /**
   * Visits all values in the order in which they were written.
   *
   * @return how many there are
   * @throws IllegalArgumentException with one sentence if it is no archive, cut short or damaged;
   *     if that shows at its end only, all values were visited
   */
  public static long read(Path file, BiConsumer<BlockKey, byte[]> visitor) throws IOException {
    CRC32C checksum = new CRC32C();
    long left = Files.size(file);
    try (DataInputStream in =
        new DataInputStream(
            new CheckedInputStream(
                new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES), checksum))) {
      require(left >= Integer.BYTES && in.readInt() == MAGIC, file, "is no file of cached blocks");
      int version = in.readInt();
      require(version == VERSION, file, "has version " + version + ", not " + VERSION);
      long count = 0;
      byte[] key = new byte[BlockKey.BYTES];
      for (int length = in.readInt(); length != END; length = in.readInt()) {
        left -= Integer.BYTES + key.length;
        require(length >= 0, file, "is damaged");
        require(length <= left, file, "is cut short or damaged");
        in.readFully(key);
        byte[] value = new byte[length];
        in.readFully(value);
        left -= length;
        visitor.accept(BlockKey.of(key), value);
        count++;
      }
      boolean all = in.readLong() == count;
      int sum = (int) checksum.getValue();
      require(in.readInt() == sum && all, file, "is damaged: its checksum is another");
      require(in.read() < 0, file, "goes on after its end");
      return count;
    } catch (EOFException e) {
      throw new IllegalArgumentException(file + " is cut short", e);
    }
  }

  private static void require(boolean condition, Path file, String problem) {
    if (!condition) {
      throw new IllegalArgumentException(file + " " + problem);
    }
  }
}
