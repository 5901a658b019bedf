package kv4j.apps.serve.engine;

import java.time.Duration;
import kv4j.inference.GenerationRequest;

/** Runs requests, several at once. Safe for use by many threads. */
public interface Engine extends AutoCloseable {
  /**
   * Takes a request, to be run as soon as there is room.
   *
   * @param listener told of what comes of it, on a thread of the engine's
   * @throws IllegalArgumentException if model or cache could never hold its tokens
   * @throws QueueFullException if too many are waiting already
   * @throws IllegalStateException if the engine takes no more requests
   */
  Running start(GenerationRequest request, TokenListener listener) throws QueueFullException;

  /** How much there is to do right now. */
  Load load();

  /**
   * Takes no more requests, and waits for those that it has.
   *
   * @return false if that took longer than there was patience for, or the thread was interrupted;
   *     then the others were cancelled
   */
  boolean drain(Duration patience);

  /** Cancels what is left. */
  @Override
  void close();
}
