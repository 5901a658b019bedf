package kv4j.model.family;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.TensorSource;
import kv4j.model.format.TensorStats;

/**
 * Reads pieces of tensors on all processors, each through buffers of its own that stay in the
 * processor's cache, so that nothing is in memory twice.
 */
final class PieceLoader {
  /** Elements looked at while they are in a core's first cache. */
  private static final int LOOKED_AT = 1 << 13;

  private final TensorSource source;
  private final List<Piece> pieces;
  private final LoadListener listener;
  private final Thread loader = Thread.currentThread();
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();
  private int failedPiece = Integer.MAX_VALUE;
  private RuntimeException failure;

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

  /** Pieces are taken in order, so all before one that fails are tried, and the first is known. */
  private void work() {
    int most = pieces.stream().mapToInt(Piece::elements).max().orElse(0);
    float[] rows = new float[most];
    float[] tile = new float[Piece.TILE];
    for (int p = next.getAndIncrement(); p < pieces.size(); p = next.getAndIncrement()) {
      Piece piece = pieces.get(p);
      try {
        read(piece, rows, tile);
      } catch (RuntimeException e) {
        failed(p, e);
      }
      long done = bytes.addAndGet(piece.weightElements() * Float.BYTES);
      if (Thread.currentThread() == loader) {
        listener.progressed(done);
      }
    }
  }

  private void read(Piece piece, float[] rows, float[] tile) {
    int length = piece.part().rowLength();
    int atOnce = Math.max(1, LOOKED_AT / length);
    for (int row = 0; row < piece.count(); row += atOnce) {
      int count = Math.min(atOnce, piece.count() - row) * length;
      FloatBuffer out = FloatBuffer.wrap(rows, row * length, count);
      source.readRows(piece.part().tensor(), piece.first() + row, out);
      requireFinite(piece.part().tensor(), rows, row * length, count);
    }
    piece.put(rows, tile);
  }

  private void requireFinite(String tensor, float[] values, int from, int count) {
    if (TensorStats.allFinite(values, from, count)) {
      return;
    }
    int first = from;
    while (Float.isFinite(values[first])) {
      first++;
    }
    throw new ModelFileException(
        source.origin(),
        "tensor " + tensor + " holds " + values[first] + ", but weights must be finite numbers");
  }

  private synchronized void failed(int piece, RuntimeException e) {
    if (piece < failedPiece) {
      failedPiece = piece;
      failure = e;
    }
    next.set(pieces.size());
  }
}
