package kv4j.apps.serve.engine;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import kv4j.cache.Lookup;
import kv4j.inference.Generation;
import kv4j.inference.GenerationRequest;

/** One request of a {@link LocalEngine}, from its arrival to its end. */
final class Task implements Running, Runnable {
  private final LocalEngine engine;
  private final GenerationRequest request;
  private final TokenListener listener;
  private final CompletableFuture<Finished> result = new CompletableFuture<>();
  private final long arrival = System.nanoTime();
  private volatile boolean cancelled;

  Task(LocalEngine engine, GenerationRequest request, TokenListener listener) {
    this.engine = engine;
    this.request = request;
    this.listener = listener;
  }

  @Override
  public void cancel() {
    cancelled = true;
    if (engine.forget(this)) {
      result.complete(neverBegun());
    }
  }

  @Override
  public CompletableFuture<Finished> result() {
    return result;
  }

  private Finished neverBegun() {
    return new Finished(Optional.empty(), 0, System.nanoTime() - arrival, 0, 0, true);
  }

  @Override
  public void run() {
    engine.begun();
    Finished finished = null;
    Throwable failure = null;
    try {
      finished = isCancelled() ? neverBegun() : generate();
    } catch (RuntimeException | Error e) { // of memory too: only this request fails
      failure = e;
    }
    engine.ended(); // before anybody is told, who may come again at once
    if (failure == null) {
      result.complete(finished);
    } else {
      result.completeExceptionally(failure);
    }
  }

  private Finished generate() {
    long begin = System.nanoTime();
    long first = 0;
    int tokens = 0;
    try (Generation generation = engine.open(request)) {
      Lookup lookup = generation.lookup();
      listener.admitted(lookup);
      int inPlace = lookup.cachedTokens();
      while (!generation.hasEnded() && !isCancelled()) {
        OptionalInt token = engine.step(generation, listener);
        if (token.isPresent()) {
          first = tokens == 0 ? System.nanoTime() : first;
          tokens++;
        } else {
          inPlace = Math.min(request.prompt().length, inPlace + engine.chunk());
          listener.prefilled(inPlace);
        }
      }
      boolean ended = generation.hasEnded();
      generation.finish();
      long end = System.nanoTime();
      first = tokens == 0 ? end : first;
      return new Finished(
          Optional.of(lookup), tokens, begin - arrival, first - begin, end - first, !ended);
    }
  }

  private boolean isCancelled() {
    return cancelled || engine.isClosing();
  }
}
