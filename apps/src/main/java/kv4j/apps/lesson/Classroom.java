package kv4j.apps.lesson;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.apps.text.SessionCache;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvRequest;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.radix.RadixProvider;
import kv4j.inference.GenerationRequest;
import kv4j.inference.GenerationResult;
import kv4j.inference.Generator;
import kv4j.inference.InferenceEngine;
import kv4j.inference.Sampling;
import kv4j.model.Tokenizer;

/** A model at work, for lessons. Their caches are their own. */
public record Classroom(InferenceEngine engine, Tokenizer tokenizer) {
  private static final long CACHE_BYTES = 256L << 20;
  static final int RUNS = 4;

  /** So that first words and last ones are both in a prompt, whatever a model's context. */
  private static final int MOST_OF_CONTEXT = 2;

  /**
   * A prompt of some tokens, of which the text is repeated as often as it takes.
   *
   * @param wanted tokens, or half of the context if that is less
   */
  int[] prompt(String text, int wanted) {
    int[] once = tokenizer.encode(text);
    int length = Math.min(wanted, context() / MOST_OF_CONTEXT);
    return IntStream.range(0, length).map(i -> once[i % once.length]).toArray();
  }

  /**
   * The tokens of a text.
   *
   * @throws IllegalArgumentException if the context has no room for them and one more
   */
  int[] tokens(String text) {
    int[] tokens = tokenizer.encode(text);
    if (tokens.length >= context()) {
      throw new IllegalArgumentException(
          "the lesson needs a context of more than %d tokens, and the model has %d"
              .formatted(tokens.length, context()));
    }
    return tokens;
  }

  /** Most tokens of a sequence. */
  int context() {
    return engine.model().config().context();
  }

  /** The text of one token, for tables: in quotes, as it may be a blank. */
  String text(int token) {
    String text =
        token < tokenizer.vocabulary()
            ? new String(tokenizer.bytes(token), StandardCharsets.UTF_8)
            : "";
    return "\"" + text.replaceAll("\\p{Cntrl}", "\ufffd") + "\"";
  }

  /** What caches are made from. */
  KvCacheConfig config(KvDtype dtype) {
    return KvCacheConfig.of(layout(dtype), CACHE_BYTES);
  }

  KvLayout layout(KvDtype dtype) {
    return engine.layout(SessionCache.BLOCK_TOKENS, dtype);
  }

  /** An empty cache of 32-bit floats. */
  KvCache cache(KvCacheProvider provider) {
    return provider.create(config(KvDtype.F32));
  }

  /** An empty prefix cache. */
  KvCache cache() {
    return cache(new RadixProvider());
  }

  /** Runs a request, greedily, and keeps its logits. */
  GenerationResult run(KvCache cache, KvRequest request, int newTokens) {
    return new Generator(engine, cache)
        .generate(new GenerationRequest(request, newTokens, Sampling.GREEDY), true);
  }

  GenerationResult run(KvCache cache, int[] prompt, int newTokens) {
    return run(cache, KvRequest.of(prompt), newTokens);
  }

  /**
   * Runs a series of requests a few times, and takes of each the run with the least time to first
   * token: in others code was not yet compiled, or the machine had something else to do.
   */
  static List<GenerationResult> fastest(Supplier<List<GenerationResult>> series) {
    List<List<GenerationResult>> runs = Stream.generate(series).limit(RUNS).toList();
    return IntStream.range(0, runs.get(0).size())
        .mapToObj(
            i ->
                runs.stream()
                    .map(run -> run.get(i))
                    .min(Comparator.comparing(GenerationResult::ttftNanos))
                    .orElseThrow())
        .toList();
  }

  /** Time to first token, ms. */
  static double ttftMs(GenerationResult result) {
    return result.ttftNanos() / 1e6;
  }

  /** Largest difference between the logits of two runs' first tokens. */
  static double difference(GenerationResult one, GenerationResult other) {
    float[] a = one.logits()[0];
    float[] b = other.logits()[0];
    return IntStream.range(0, a.length)
        .mapToDouble(i -> Math.abs((double) a[i] - b[i]))
        .max()
        .orElse(0);
  }

  /** How many tokens of two runs are the same up to the first that is not. */
  static int sameTokens(GenerationResult one, GenerationResult other) {
    int differs = Arrays.mismatch(one.tokens(), other.tokens());
    return differs < 0 ? one.tokens().length : differs;
  }
}
