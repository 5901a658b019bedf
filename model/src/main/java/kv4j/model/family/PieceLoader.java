package kv4j.model.family;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.Pieces;
import kv4j.model.format.TensorSource;

/**
 * Reads pieces of tensors on all processors, each through memory of its own that stays in the
 * processor's cache, so that nothing is in memory twice.
 */
final class PieceLoader {
  private final TensorSource source;
  private final List<Piece> pieces;
  private final LoadListener listener;
  private final Thread loader = Thread.currentThread();
  private final AtomicLong bytes = new AtomicLong();

  /**
   * @param pieces in the file's order
   */
  PieceLoader(TensorSource source, List<Piece> pieces, LoadListener listener) {
    this.source = source;
    this.pieces = pieces;
    this.listener = listener;
  }

  /**
   * Reads all; the listener is told on this thread.
   *
   * @throws ModelFileException of the first piece that cannot be read, or has a number that is not
   *     finite
   */
  void run() {
    Pieces.forEach(pieces, Piece.Room::new, this::load);
    listener.progressed(bytes.get());
  }

  private void load(Piece piece, Piece.Room room) {
    if (!piece.read(source, room)) {
      throw notFinite(piece);
    }
    long done = bytes.addAndGet(piece.bytes());
    if (Thread.currentThread() == loader) {
      listener.progressed(done);
    }
  }

  private ModelFileException notFinite(Piece piece) {
    String tensor = piece.part().tensor();
    float[] row = new float[piece.part().rowLength()];
    for (int r = piece.firstRow(); r < piece.endRow(); r++) {
      source.readRows(tensor, r, FloatBuffer.wrap(row));
      for (float value : row) {
        if (!Float.isFinite(value)) {
          return new ModelFileException(
              source.origin(),
              "tensor " + tensor + " holds " + value + ", but weights must be finite numbers");
        }
      }
    }
    throw new IllegalStateException("tensor " + tensor + " has changed while it was read");
  }
}
