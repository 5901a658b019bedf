package kv4j.model.family;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import kv4j.model.format.ModelFileException;
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
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();
  private int failedPiece = Integer.MAX_VALUE;
  private RuntimeException failure;

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
    int workers = Math.min(pieces.size(), Runtime.getRuntime().availableProcessors());
    IntStream.range(0, workers).parallel().forEach(worker -> work());
    if (failure != null) {
      throw failure;
    }
    listener.progressed(bytes.get());
  }

  /**
   * Pieces are taken in order, so that every piece before one that fails is tried as well and the
   * failure reported is the first of the file.
   */
  private void work() {
    Piece.Room room = new Piece.Room();
    for (int p = next.getAndIncrement(); p < pieces.size(); p = next.getAndIncrement()) {
      Piece piece = pieces.get(p);
      try {
        if (!piece.read(source, room)) {
          throw notFinite(piece);
        }
      } catch (RuntimeException e) {
        failed(p, e);
      }
      long done = bytes.addAndGet(piece.bytes());
      if (Thread.currentThread() == loader) {
        listener.progressed(done);
      }
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

  private synchronized void failed(int piece, RuntimeException e) {
    if (piece < failedPiece) {
      failedPiece = piece;
      failure = e;
    }
    next.set(pieces.size());
  }
}
