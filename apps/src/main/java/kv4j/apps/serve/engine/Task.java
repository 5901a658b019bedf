package kv4j.apps.serve.engine;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import kv4j.inference.schedule.ScheduledResult;
import kv4j.inference.schedule.Submission;

/** One request of a {@link ScheduledEngine}. */
final class Task implements Running {
  private final Submission submission;
  private final TokenListener listener;
  private final CompletableFuture<Finished> result = new CompletableFuture<>();
  private boolean runs; // the scheduler's thread knows

  Task(Submission submission, TokenListener listener) {
    this.submission = submission;
    this.listener = listener;
  }

  long number() {
    return submission.number();
  }

  TokenListener listener() {
    return listener;
  }

  /** Takes note of whether it is being computed, and returns whether that is new. */
  synchronized boolean run(boolean now) {
    boolean changes = runs != now;
    runs = now;
    return changes;
  }

  /**
   * Completes the result once it is there.
   *
   * @param before told first
   */
  void completeBy(Consumer<Task> before) {
    submission
        .result()
        .whenComplete(
            (done, failure) -> {
              before.accept(this);
              if (failure == null) {
                result.complete(finished(done));
              } else {
                result.completeExceptionally(failure);
              }
            });
  }

  private static Finished finished(ScheduledResult done) {
    long computed = done.totalNanos() - done.queuedNanos();
    long prefill = done.ttftNanos() == 0 ? computed : done.prefillNanos();
    return new Finished(
        Optional.ofNullable(done.generation().lookup()),
        done.generation().tokens().length,
        done.queuedNanos(),
        prefill,
        computed - prefill,
        done.end() == ScheduledResult.End.CANCELLED);
  }

  @Override
  public void cancel() {
    submission.cancel();
  }

  @Override
  public CompletableFuture<Finished> result() {
    return result;
  }
}
