package kv4j.model.format;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Work on pieces of a file, done on all processors. Pieces are taken in order, so that every piece
 * before one that fails is tried as well, and the failure reported is the first of the file.
 *
 * @param <P> a piece
 * @param <R> the memory that a thread works in, reused from one piece to the next
 */
public final class Pieces<P, R> {
  private final List<P> pieces;
  private final Supplier<R> rooms;
  private final BiConsumer<P, R> work;
  private final AtomicInteger next = new AtomicInteger();
  private int failedPiece = Integer.MAX_VALUE;
  private RuntimeException failure;

  private Pieces(List<P> pieces, Supplier<R> rooms, BiConsumer<P, R> work) {
    this.pieces = pieces;
    this.rooms = rooms;
    this.work = work;
  }

  /**
   * Works through pieces, on the calling thread and others.
   *
   * @throws RuntimeException that the first piece which fails has thrown
   */
  public static <P, R> void forEach(List<P> pieces, Supplier<R> rooms, BiConsumer<P, R> work) {
    Pieces<P, R> all = new Pieces<>(pieces, rooms, work);
    int workers = Math.min(pieces.size(), Runtime.getRuntime().availableProcessors());
    IntStream.range(0, workers).parallel().forEach(worker -> all.work());
    if (all.failure != null) {
      throw all.failure;
    }
  }

  private void work() {
    R room = rooms.get();
    for (int p = next.getAndIncrement(); p < pieces.size(); p = next.getAndIncrement()) {
      try {
        work.accept(pieces.get(p), room);
      } catch (RuntimeException e) {
        failed(p, e);
      }
    }
  }

  private synchronized void failed(int piece, RuntimeException e) {
    if (piece < failedPiece) {
      failedPiece = piece;
      failure = e;
    }
    next.set(pieces.size());
  }
}
