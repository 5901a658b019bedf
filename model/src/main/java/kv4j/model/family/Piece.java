package kv4j.model.family;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import kv4j.model.format.TensorSource;
import kv4j.model.weight.PanelPacker;

/** A part of a tensor on its way into a weight. */
interface Piece {
  Part part();

  /** Bytes of the weight that it makes. */
  long bytes();

  /**
   * Reads it and puts it in its place.
   *
   * @return whether all its weights are finite numbers
   */
  boolean read(TensorSource source, Room room);

  /** First row of the tensor that it reads, and the row after the last, for messages. */
  int firstRow();

  int endRow();

  /** Memory to read into: a thread's own, reused from one piece to the next. */
  final class Room {
    private final PanelPacker.Scratch scratch = new PanelPacker.Scratch();
    private ByteBuffer stored = ByteBuffer.allocateDirect(0);

    PanelPacker.Scratch scratch() {
      return scratch;
    }

    /** Room for bytes of a file. */
    ByteBuffer stored(long bytes) {
      if (stored.capacity() < bytes) {
        stored = ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
      }
      return stored.clear().limit((int) bytes);
    }
  }
}
