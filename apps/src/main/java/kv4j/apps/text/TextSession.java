package kv4j.apps.text;

import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.cache.CacheEvent;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvRequest;
import kv4j.cache.block.KvDtype;
import kv4j.cache.faulty.Fault;
import kv4j.cache.faulty.FaultyCacheProvider;
import kv4j.cache.faulty.FaultyKvCache;
import kv4j.cache.radix.RadixKvCache;
import kv4j.cache.radix.RadixProvider;
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
  private static final String RADIX = "radix";

  /** How much a session's cache may keep. */
  public static final ValueOption<Long> MAX_BYTES =
      ValueOption.of("max-bytes", "SIZE", "most the cache keeps", "1GiB", Values::bytes);

  /** Which cache a session has. */
  public static final ValueOption<Optional<Fault>> CACHE =
      ValueOption.of(
          "cache",
          "NAME",
          "radix, or faulty:layer=0:amount=0.5 and the like, which is wrong on purpose",
          RADIX,
          TextSession::fault);

  /** Tokens in a block of the cache. */
  public static final int BLOCK_TOKENS = 16;

  private final InferenceEngine engine;
  private final RadixKvCache cache;
  private final KvCache forRequests;

  /**
   * @param cacheBytes most bytes the cache keeps
   * @param fault what is to be wrong with what requests find cached
   * @throws IllegalArgumentException if the bytes are too few, or the model has no such layer
   */
  public TextSession(Model model, EngineOptions options, long cacheBytes, Optional<Fault> fault) {
    this(model, options, cacheBytes, fault, event -> {});
  }

  /**
   * As above.
   *
   * @param listener told of what happens in the cache
   */
  public TextSession(
      Model model,
      EngineOptions options,
      long cacheBytes,
      Optional<Fault> fault,
      Consumer<CacheEvent> listener) {
    engine = InferenceEngine.create(model, options);
    try {
      cache =
          new RadixKvCache(
              KvCacheConfig.of(engine.layout(BLOCK_TOKENS, KvDtype.F32), cacheBytes)
                  .withListener(listener));
      forRequests = fault.<KvCache>map(wrong -> new FaultyKvCache(cache, wrong)).orElse(cache);
    } catch (RuntimeException e) {
      engine.close();
      throw e;
    }
  }

  private static Optional<Fault> fault(String name) {
    if (name.equals(RADIX)) {
      return Optional.empty();
    }
    if (!FaultyCacheProvider.isNamedBy(name)) {
      throw new IllegalArgumentException("must be radix or faulty, not \"" + name + "\"");
    }
    return Optional.of(FaultyCacheProvider.of(name, TextSession::onlyRadix).fault());
  }

  private static KvCacheProvider onlyRadix(String name) {
    if (!name.equals(RADIX)) {
      throw new IllegalArgumentException("can be faulty over radix only, not over " + name);
    }
    return new RadixProvider();
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

  @Override
  public void close() {
    cache.close();
    engine.close();
  }
}
