package kv4j.inference.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.EngineOptions;
import kv4j.inference.EngineTestKit;
import kv4j.inference.GenerationRequest;
import kv4j.inference.Generator;
import kv4j.inference.InferenceEngine;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;

/** A tiny model, its engine, and what each request gives alone. */
final class ScheduleKit implements AutoCloseable {
  static final int CONTEXT = 200;

  final Model model;
  final InferenceEngine engine;

  ScheduleKit(long seed) {
    TransformerConfig shape =
        new TransformerConfig(
            2, 16, 2, 1, 8, 24, 40, CONTEXT, 1e-5f, 10_000f, RopePairing.SPLIT, false);
    model = EngineTestKit.randomModel(shape, new SplittableRandom(seed));
    engine = InferenceEngine.create(model, new EngineOptions(1, 24));
  }

  int[] randomTokens(SplittableRandom random, int count) {
    return EngineTestKit.randomTokens(random, count, model);
  }

  KvCacheConfig config(int blockTokens, int blocks) {
    var layout = engine.layout(blockTokens, KvDtype.F32);
    return KvCacheConfig.of(layout, blocks * layout.bytesPerBlock());
  }

  RadixKvCache radix(int blockTokens, int blocks) {
    return new RadixKvCache(config(blockTokens, blocks));
  }

  /** The tokens of a request that runs by itself, with nothing cached. */
  int[] alone(GenerationRequest request) {
    try (KvCache cache = new RequestCacheProvider().create(config(16, 1))) {
      return new Generator(engine, cache).generate(request).tokens();
    }
  }

  @Override
  public void close() {
    engine.close();
  }

  /** The tokens that a listener was told. */
  static final class Heard implements TokenListener {
    final List<Integer> tokens = new ArrayList<>();
    private final int most;

    Heard() {
      this(Integer.MAX_VALUE);
    }

    /** Stops its request after so many tokens. */
    Heard(int most) {
      this.most = most;
    }

    @Override
    public boolean token(int token, float[] logits) {
      tokens.add(token);
      return tokens.size() < most;
    }

    int[] toArray() {
      return tokens.stream().mapToInt(Integer::intValue).toArray();
    }
  }
}
