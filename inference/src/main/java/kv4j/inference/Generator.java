package kv4j.inference;

import java.util.Arrays;
import java.util.function.IntPredicate;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;

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
    int prompt = request.prompt().length;
    int newTokens = request.newTokens();
    int context = engine.model().config().context();
    if (newTokens > context - prompt) {
      throw new IllegalArgumentException(
          "a prompt of "
              + prompt
              + " tokens and "
              + newTokens
              + " new ones do not fit the model's context of "
              + context
              + " tokens");
    }
    int[] tokens = Arrays.copyOf(request.prompt(), prompt + newTokens);
    float[][] logits = new float[keepLogits ? newTokens : 0][];
    Sampler sampler = new Sampler(request.sampling());
    long start = System.nanoTime();
    long ttft = 0;
    KvRequest lookup = request.lookup().withModel(engine.model().fingerprint());
    try (KvSequence sequence = cache.open(lookup)) {
      int length = prompt;
      boolean more = true;
      for (int i = 0; i < newTokens && more; i++) {
        float[] row = engine.forward(sequence, tokens, sequence.begin(), length);
        tokens[length] = sampler.pick(row, tokens, length);
        if (i == 0) {
          ttft = System.nanoTime() - start;
        }
        if (keepLogits) {
          logits[i] = row;
        }
        more = goesOn.test(tokens[length]);
        length++;
      }
      sequence.commit(Arrays.copyOf(tokens, length));
      long latency = System.nanoTime() - start;
      int[] generated = Arrays.copyOfRange(tokens, prompt, length);
      float[][] kept = Arrays.copyOf(logits, Math.min(logits.length, generated.length));
      return new GenerationResult(generated, sequence.lookup(), ttft, latency, kept);
    }
  }
}
