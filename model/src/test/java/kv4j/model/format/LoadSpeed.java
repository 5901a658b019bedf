package kv4j.model.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Prints how fast a generated F32 GGUF of 500 MB is read, against reading the file once. Both write
 * to memory made before, as a first touch of memory costs the same to either. To be run by hand, on
 * an idle machine: arguments are a folder with room, and optionally a number of rounds.
 */
final class LoadSpeed {
  private static final int TENSORS = 30;
  private static final int ROWS = 2048;
  private static final int COLUMNS = 2048;

  private LoadSpeed() {}

  public static void main(String[] arguments) throws IOException {
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 7;
    Path file = Files.createTempFile(Path.of(arguments[0]), "speed", ".gguf");
    try {
      write(file);
      FloatBuffer weights =
          ByteBuffer.allocateDirect(TENSORS * ROWS * COLUMNS * Float.BYTES)
              .order(ByteOrder.nativeOrder())
              .asFloatBuffer();
      double[] load = new double[rounds];
      double[] checked = new double[rounds];
      double[] read = new double[rounds];
      for (int round = 0; round < rounds; round++) {
        read[round] = seconds(() -> read(file));
        load[round] = seconds(() -> load(file, weights, false));
        checked[round] = seconds(() -> load(file, weights, true));
      }
      long bytes = Files.size(file);
      print("read once", bytes, read);
      print("load", bytes, load);
      print("load and look for NaN", bytes, checked);
    } finally {
      Files.delete(file);
    }
  }

  private static void write(Path file) {
    float[] values = new float[ROWS * COLUMNS];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    MemoryTensors tensors = new MemoryTensors(Map.of());
    for (int i = 0; i < TENSORS; i++) {
      tensors.with("t" + i, values, ROWS, COLUMNS);
    }
    GgufWriter.write(tensors, file);
  }

  private static long read(Path file) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
    long bytes = 0;
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      for (int count = 0; count >= 0; count = channel.read(buffer.clear())) {
        bytes += count;
      }
      return bytes;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Looks at pieces of a tensor while they are in the core's cache. */
  private static long load(Path file, FloatBuffer weights, boolean check) {
    int pieceRows = check ? ROWS / 16 : ROWS;
    long finite = 0;
    try (TensorSource source = ModelFiles.open(file)) {
      weights.clear();
      for (String name : source.tensorNames()) {
        for (int row = 0; row < ROWS; row += pieceRows) {
          FloatBuffer piece = weights.slice().limit(pieceRows * COLUMNS);
          source.readRows(name, row, piece);
          weights.position(weights.position() + piece.position());
          finite += check && TensorStats.allFinite(piece.flip()) ? 1 : 0;
        }
      }
    }
    return finite;
  }

  private static double seconds(LongSupplier work) {
    long start = System.nanoTime();
    if (work.getAsLong() < 0) {
      throw new IllegalStateException("never");
    }
    return (System.nanoTime() - start) / 1e9;
  }

  private static void print(String what, long bytes, double[] seconds) {
    Arrays.sort(seconds);
    double median = seconds[seconds.length / 2];
    System.out.printf(
        "%s: median %.3f s (%.3f to %.3f), %.2f GB/s%n",
        what, median, seconds[0], seconds[seconds.length - 1], bytes / median / 1e9);
  }
}
