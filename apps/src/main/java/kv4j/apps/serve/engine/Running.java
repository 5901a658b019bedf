package kv4j.apps.serve.engine;

import java.util.concurrent.CompletableFuture;

/** A request that an engine has taken. */
public interface Running {
  /**
   * Ends it as soon as may be, while it waits and amid its prompt too; what it has stays cached.
   */
  void cancel();

  /**
   * What came of it, once it has ended, cancelled ones too. It completes after the listener was
   * told of the last token, and exceptionally if the request failed.
   */
  CompletableFuture<Finished> result();
}
