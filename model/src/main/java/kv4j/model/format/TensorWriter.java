package kv4j.model.format;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import kv4j.model.format.block.TensorType;

/**
 * Writes tensors to their places in a file on all processors, piece by piece, so that no more is in
 * memory than some rows for each.
 */
final class TensorWriter {
  /**
   * Elements in a piece, if a row is not longer: a megabyte of floats, about a core's own cache.
   */
  private static final int ELEMENTS = 1 << 18;

  private final TensorSource source;
  private final FileChannel channel;
  private final List<Piece> pieces = new ArrayList<>();

  /**
   * Some rows of a tensor.
   *
   * @param row the first of them
   * @param elements in all of them
   * @param at the byte of the file where they begin
   * @param bytes that they take, and the zeros behind the tensor
   */
  private record Piece(
      String tensor, TensorType type, long row, int elements, long at, int bytes) {}

  TensorWriter(TensorSource source, FileChannel channel) {
    this.source = source;
    this.channel = channel;
  }

  /** Bytes of so many elements in whole blocks. */
  static long bytes(TensorType type, long elements) {
    return elements / type.blockElements() * type.blockBytes();
  }

  /**
   * Plans a tensor.
   *
   * @param at the byte of the file where it begins
   * @param size bytes until the next one begins; what it does not need is filled with zeros
   */
  void add(String tensor, TensorType type, long at, long size) {
    long[] shape = source.shape(tensor);
    long rowLength = shape.length == 0 ? 1 : shape[shape.length - 1];
    long rows = source.elements(tensor) / rowLength;
    long atOnce = Math.max(1, ELEMENTS / rowLength);
    for (long row = 0; row < rows; row += atOnce) {
      long begin = bytes(type, row * rowLength);
      boolean last = row + atOnce >= rows;
      long elements = (last ? rows - row : atOnce) * rowLength;
      long end = last ? size : begin + bytes(type, elements);
      pieces.add(
          new Piece(
              tensor,
              type,
              row,
              Math.toIntExact(elements),
              at + begin,
              Math.toIntExact(end - begin)));
    }
  }

  /**
   * Writes all that is planned.
   *
   * @throws IllegalArgumentException if a weight is too large for its type, or not finite where the
   *     type is not F32: that of the first such piece
   */
  void run() throws IOException {
    int most = pieces.stream().mapToInt(Piece::elements).max().orElse(0);
    int mostBytes = pieces.stream().mapToInt(Piece::bytes).max().orElse(0);
    try {
      Pieces.forEach(pieces, () -> new Room(most, mostBytes), this::write);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** A thread's own. */
  private static final class Room {
    private final float[] values;
    private final ByteBuffer bytes;

    Room(int elements, int bytes) {
      values = new float[elements];
      this.bytes = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  private void write(Piece piece, Room room) {
    float[] values = room.values;
    ByteBuffer bytes = room.bytes;
    source.readRows(piece.tensor, piece.row, FloatBuffer.wrap(values, 0, piece.elements));
    if (piece.type != TensorType.F32) { // which can store whatever there is
      requireStorable(piece, values);
    }
    bytes.clear().limit(piece.bytes);
    piece.type.compress(FloatBuffer.wrap(values, 0, piece.elements), bytes);
    while (bytes.hasRemaining()) {
      bytes.put((byte) 0);
    }
    bytes.flip();
    try {
      for (long at = piece.at; bytes.hasRemaining(); ) {
        at += channel.write(bytes, at);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void requireStorable(Piece piece, float[] values) {
    int largest = 0; // as bits, in whose order what is not a number comes last
    for (int i = 0; i < piece.elements; i++) {
      largest = Math.max(largest, Float.floatToRawIntBits(values[i]) & 0x7FFFFFFF);
    }
    float size = Float.intBitsToFloat(largest);
    String tensor = "tensor " + ModelFileException.printable(piece.tensor);
    if (!Float.isFinite(size)) {
      throw new IllegalArgumentException(
          tensor + " holds " + size + ", but weights must be finite numbers");
    }
    if (size > piece.type.largest()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s has a weight of size %.6g, but %s ends at %.0f: another type can hold it",
              tensor,
              size,
              piece.type,
              piece.type.largest()));
    }
  }
}
