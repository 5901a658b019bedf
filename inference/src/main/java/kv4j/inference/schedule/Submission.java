package kv4j.inference.schedule;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** A request that a {@link Scheduler} has accepted. Safe for use by many threads. */
public final class Submission {
  private final long number;
  private final CompletableFuture<ScheduledResult> outcome = new CompletableFuture<>();
  private volatile boolean cancelled;

  Submission(long number) {
    this.number = number;
  }

  /** Counts a scheduler's submissions, from 1. */
  public long number() {
    return number;
  }

  /**
   * Gives the request up, while it waits, in the middle of its prompt or later; after the pass that
   * is under way its blocks are free. The result has what was generated. Nothing happens if it has
   * ended already.
   */
  public void cancel() {
    cancelled = true;
  }

  boolean isCancelled() {
    return cancelled;
  }

  /**
   * What comes of the request. What depends on it runs on the scheduler's thread unless it is given
   * an executor, and must not block there. To cancel the future does not cancel the request.
   */
  public CompletableFuture<ScheduledResult> result() {
    return outcome.copy();
  }

  /**
   * Waits for the result.
   *
   * @throws ExecutionException if the request has failed; its cause says why
   */
  public ScheduledResult await() throws InterruptedException, ExecutionException {
    return outcome.get();
  }

  void complete(ScheduledResult result) {
    outcome.complete(result);
  }

  void fail(Throwable error) {
    outcome.completeExceptionally(error);
  }
}
