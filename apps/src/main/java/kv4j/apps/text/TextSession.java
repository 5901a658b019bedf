package kv4j.apps.text;

import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import kv4j.apps.store.OpenStore;
import kv4j.cache.CacheEvent;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.faulty.FaultyKvCache;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.EngineOptions;
import kv4j.inference.GenerationRequest;
import kv4j.inference.GenerationResult;
import kv4j.inference.Generator;
import kv4j.inference.InferenceEngine;
import kv4j.model.Model;

/**
 * An engine for one model with a prefix cache of its own, so that a prompt need not compute again
 * what it shares with earlier ones.
 */
public final class TextSession implements AutoCloseable {
  private final InferenceEngine engine;
  private final RadixKvCache cache;
  private final KvCache forRequests;

  /**
   * @param store what the cache has behind it; the caller's, who closes it after the session
   * @param listener told of what happens in the cache
   * @throws IllegalArgumentException if the cache's bytes are too few, or it is to be wrong in a
   *     layer that the model has not
   */
  public TextSession(
      Model model,
      EngineOptions options,
      SessionCache wanted,
      OpenStore store,
      Consumer<CacheEvent> listener) {
    engine = InferenceEngine.create(model, options);
    try {
      cache = new RadixKvCache(store.behind(wanted.config(engine, listener)));
      forRequests =
          wanted.fault().<KvCache>map(wrong -> new FaultyKvCache(cache, wrong)).orElse(cache);
    } catch (RuntimeException e) {
      engine.close();
      throw e;
    }
  }

  /**
   * Generates text after a prompt.
   *
   * @param stops texts before which it ends, besides those of the options
   * @param out takes the text piece by piece
   * @param stop asked after each token: whether it is to be the last
   * @throws IllegalArgumentException with one sentence if the prompt is empty or does not fit
   */
  public TextResult generate(
      int[] prompt,
      GenerationOptions options,
      List<String> stops,
      Consumer<String> out,
      BooleanSupplier stop) {
    Model model = engine.model();
    if (prompt.length == 0) {
      throw new IllegalArgumentException("the prompt is empty");
    }
    int newTokens = options.newTokens(prompt.length, model.config().context());
    TextStream stream = new TextStream(model.tokenizer(), stops, out);
    GenerationRequest request =
        new GenerationRequest(KvRequest.of(prompt), newTokens, options.sampling());
    GenerationResult result =
        new Generator(engine, forRequests)
            .generate(request, false, token -> stream.next(token) && !stop.getAsBoolean());
    stream.end();
    return TextResult.of(prompt, stream, result);
  }

  /** What runs the model. */
  public InferenceEngine engine() {
    return engine;
  }

  /** What has been computed so far. */
  public RadixKvCache cache() {
    return cache;
  }

  /** What requests find of that: the cache itself, unless that has a fault. */
  public KvCache forRequests() {
    return forRequests;
  }

  /** What the model's graph was compiled to, for people. */
  public List<String> describePlan() {
    return engine.describePlan();
  }

  /** Waits for the store to have what it is to have, if that takes no longer than 30 seconds. */
  @Override
  public void close() {
    cache.close();
    engine.close();
  }
}
