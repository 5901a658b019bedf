package kv4j.apps.serve.engine;

import java.util.concurrent.CompletableFuture;
import kv4j.inference.schedule.Submission;

/** A request that an engine has taken. */
public final class Running {
  private final Submission submission;
  private final CompletableFuture<Finished> result;

  Running(Submission submission) {
    this.submission = submission;
    result = submission.result().thenApply(Finished::of);
  }

  /**
   * Ends it as soon as may be, while it waits and amid its prompt too; what it has stays cached.
   */
  public void cancel() {
    submission.cancel();
  }

  /**
   * What came of it, once it has ended, cancelled ones too. It completes after the listener was
   * told of the last token, and exceptionally if the request failed.
   */
  public CompletableFuture<Finished> result() {
    return result;
  }
}
