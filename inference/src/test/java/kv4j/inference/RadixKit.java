package kv4j.inference;

import static kv4j.inference.EngineTestKit.assertLogits;
import static kv4j.inference.EngineTestKit.concat;
import static kv4j.inference.EngineTestKit.randomModel;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.SplittableRandom;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.cache.radix.RadixKvCache;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;

/** A small model, its engine, and requests that are held against a run without shared blocks. */
final class RadixKit implements AutoCloseable {
  /** Tokens that each request generates; all but the last of them are computed, hence stored. */
  static final int NEW_TOKENS = 2;

  final Model model;
  final InferenceEngine engine;
  private final KvCache uncached;

  RadixKit(long seed) {
    TransformerConfig shape =
        new TransformerConfig(
            3, 40, 6, 3, 10, 50, 99, 200, 1e-5f, 10_000f, RopePairing.SPLIT, false);
    model = randomModel(shape, new SplittableRandom(seed));
    engine = InferenceEngine.create(model, new EngineOptions(2, 24));
    uncached = new RequestCacheProvider().create(config(16, 1));
  }

  /** A configuration of so many blocks. */
  KvCacheConfig config(int blockTokens, int blocks) {
    var layout = engine.layout(blockTokens, KvDtype.F32);
    return KvCacheConfig.of(layout, blocks * layout.bytesPerBlock());
  }

  /** Blocks that so many tokens fall in. */
  static int blocks(int tokens, int blockTokens) {
    return (tokens + blockTokens - 1) / blockTokens;
  }

  int[] randomTokens(SplittableRandom random, int count) {
    return EngineTestKit.randomTokens(random, count, model);
  }

  /** A prompt that has the first {@code cut} tokens of {@code text} and no more of them. */
  int[] leaving(int[] text, int cut, int... suffix) {
    int[] prompt = concat(Arrays.copyOf(text, cut), suffix);
    if (cut < text.length && prompt[cut] == text[cut]) {
      prompt[cut] = (prompt[cut] + 1) % model.config().vocabulary();
    }
    return prompt;
  }

  KvRequest request(String namespace, int... prompt) {
    return new KvRequest(prompt, 0, namespace, model.fingerprint());
  }

  /** What a prompt gives with nothing shared: the tokens it generates and their logits. */
  Run alone(int... prompt) {
    try (Run run = new Run(uncached.open(request("", prompt)), prompt)) {
      run.finish();
      return run;
    }
  }

  Run open(RadixKvCache cache, KvRequest request) {
    return new Run(cache.open(request), request.prompt());
  }

  Run open(RadixKvCache cache, int... prompt) {
    return open(cache, request("", prompt));
  }

  /** Runs a request to its end, checks it, commits it and gives its prompt and new tokens. */
  int[] run(int expectedCached, RadixKvCache cache, KvRequest request) {
    try (Run run = open(cache, request)) {
      assertEquals(expectedCached, run.cached(), run.sequence.lookup() + " " + cache.layout());
      run.finish();
      run.checkAndCommit();
      cache.checkIntegrity();
      return run.tokens;
    }
  }

  int[] run(int expectedCached, RadixKvCache cache, int... prompt) {
    return run(expectedCached, cache, request("", prompt));
  }

  @Override
  public void close() {
    uncached.close();
    engine.close();
  }

  /** One request, in steps of the test's own. */
  final class Run implements AutoCloseable {
    final KvSequence sequence;
    final int[] tokens; // the prompt and what follows
    final float[][] logits = new float[NEW_TOKENS][];
    private final int prompt;

    Run(KvSequence sequence, int[] prompt) {
      this.sequence = sequence;
      this.prompt = prompt.length;
      tokens = Arrays.copyOf(prompt, prompt.length + NEW_TOKENS);
    }

    int cached() {
      return sequence.lookup().cachedTokens();
    }

    /** Computes what is missing of the first {@code length} tokens. */
    void prefill(int length) {
      engine.forward(sequence, tokens, sequence.begin(), length);
    }

    void finish() {
      for (int i = 0; i < NEW_TOKENS; i++) {
        logits[i] = engine.forward(sequence, tokens, sequence.begin(), prompt + i);
        tokens[prompt + i] = new Sampler(Sampling.GREEDY).pick(logits[i]);
      }
    }

    void checkAndCommit() {
      Run expected = alone(Arrays.copyOf(tokens, prompt));
      String what = sequence.lookup().toString();
      for (int i = 0; i < NEW_TOKENS; i++) {
        assertLogits(expected.logits[i], logits[i], what + ", new token " + i);
      }
      assertArrayEquals(expected.tokens, tokens, what);
      sequence.commit(tokens);
    }

    @Override
    public void close() {
      sequence.close();
    }
  }
}
