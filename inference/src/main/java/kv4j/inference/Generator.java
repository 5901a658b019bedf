package kv4j.inference;

import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import kv4j.cache.KvCache;
import kv4j.inference.pass.ForwardPass;

/** Generates tokens for requests with one model and one cache. Safe for use by many threads. */
public final class Generator {
  private final InferenceEngine engine;
  private final KvCache cache;

  /**
   * @throws IllegalArgumentException if the cache is for keys and values of another shape than the
   *     model's
   */
  public Generator(InferenceEngine engine, KvCache cache) {
    engine.requireShape(cache.layout());
    this.engine = engine;
    this.cache = cache;
  }

  /** Runs a request to its end. */
  public GenerationResult generate(GenerationRequest request) {
    return generate(request, false);
  }

  /**
   * Runs a request to its end.
   *
   * @param keepLogits whether the result has the logits that each token was picked from
   * @throws IllegalArgumentException if prompt and new tokens do not fit the model's context
   */
  public GenerationResult generate(GenerationRequest request, boolean keepLogits) {
    return generate(request, keepLogits, token -> true);
  }

  /**
   * Runs a request, perhaps not to its end.
   *
   * @param keepLogits whether the result has the logits that each token was picked from
   * @param goesOn told of each new token as soon as it is known; false makes it the last
   * @throws IllegalArgumentException if prompt and new tokens do not fit the model's context
   */
  public GenerationResult generate(
      GenerationRequest request, boolean keepLogits, IntPredicate goesOn) {
    try (Generation generation = new Generation(engine, cache, request, keepLogits)) {
      while (!generation.hasEnded()) {
        float[][] rows =
            engine.forward(
                new ForwardPass(List.of(generation.next(engine.options().prefillChunk()))));
        OptionalInt token = generation.take(rows.length == 0 ? null : rows[0]);
        if (token.isPresent() && !goesOn.test(token.getAsInt())) {
          generation.stop();
        }
      }
      return generation.finish();
    }
  }
}
