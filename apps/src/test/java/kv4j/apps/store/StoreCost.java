package kv4j.apps.store;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleSupplier;
import kv4j.apps.workload.Spread;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.block.KvDtype;
import kv4j.cache.radix.RadixKvCache;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStores;
import kv4j.cache.store.StoreConfig;
import kv4j.cache.store.StoreOptions;
import kv4j.inference.EngineOptions;
import kv4j.inference.GenerationRequest;
import kv4j.inference.GenerationResult;
import kv4j.inference.Generator;
import kv4j.inference.InferenceEngine;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;

/**
 * What a store costs requests that find nothing in it: time to first token with nothing being
 * written, and a token's decoding while blocks are. Prompts are random, with and without a store in
 * turn. Argument: a folder for the store.
 */
final class StoreCost {
  private static final int PROMPT = 1_000;
  private static final int NEW_TOKENS = 64;
  private static final int ROUNDS = 12;
  private static final int IN_A_ROW = 4;
  private static final Duration LONG = Duration.ofMinutes(1);

  private final Random random = new Random(1);
  private final InferenceEngine engine;

  private StoreCost(InferenceEngine engine) {
    this.engine = engine;
  }

  public static void main(String[] args) {
    Model model = DemoModels.create(ModelPreset.S, 42);
    BlockStore store =
        BlockStores.open("disk", StoreOptions.of(args[0]), StoreCost.class.getClassLoader());
    store.ready().join();
    try (store;
        InferenceEngine engine = InferenceEngine.create(model, EngineOptions.defaults())) {
      KvCacheConfig plain = KvCacheConfig.of(engine.layout(16, KvDtype.F32), 256L << 20);
      StoreConfig behind =
          new StoreConfig(store, StoreConfig.When.COMMIT, 64, KvDtype.F32, Duration.ofSeconds(2));
      try (RadixKvCache without = new RadixKvCache(plain);
          RadixKvCache with = new RadixKvCache(plain.withStore(behind))) {
        new StoreCost(engine).run(without, with);
      }
    }
  }

  private void run(RadixKvCache without, RadixKvCache with) {
    compare(
        "TTFT, ms, nothing in the store and nothing being written",
        () -> ttft(without),
        () -> ttft(with));
    compare(
        "a token's decoding, ms, while what was computed is written down",
        () -> decoding(without),
        () -> decoding(with));
  }

  private void compare(String what, DoubleSupplier without, DoubleSupplier with) {
    List<Double> before = new ArrayList<>();
    List<Double> after = new ArrayList<>();
    for (int round = -2; round < ROUNDS; round++) { // two to warm up
      boolean first = round % 2 == 0;
      double one = (first ? without : with).getAsDouble();
      double other = (first ? with : without).getAsDouble();
      if (round >= 0) {
        before.add(first ? one : other);
        after.add(first ? other : one);
      }
    }
    System.out.printf(
        "%s:%n  without %s%n  with    %s%n  ratio of medians %.3f, of minima %.3f%n",
        what,
        text(Spread.of(before)),
        text(Spread.of(after)),
        Spread.of(after).median() / Spread.of(before).median(),
        Spread.of(after).min() / Spread.of(before).min());
  }

  private static String text(Spread spread) {
    return "%.2f (%.2f to %.2f)".formatted(spread.median(), spread.min(), spread.max());
  }

  private double ttft(RadixKvCache cache) {
    double ms = generate(cache, 1).ttftNanos() / 1e6;
    cache.flush(LONG);
    return ms;
  }

  /** Of several requests in a row, each but the first while the one before is written down. */
  private double decoding(RadixKvCache cache) {
    double ms = 0;
    for (int i = 0; i < IN_A_ROW; i++) {
      GenerationResult result = generate(cache, NEW_TOKENS);
      ms += (result.latencyNanos() - result.ttftNanos()) / 1e6 / (NEW_TOKENS - 1);
    }
    cache.flush(LONG);
    return ms / IN_A_ROW;
  }

  private GenerationResult generate(RadixKvCache cache, int newTokens) {
    int vocabulary = engine.model().config().vocabulary();
    int[] prompt = random.ints(PROMPT, 0, vocabulary).toArray();
    return new Generator(engine, cache)
        .generate(GenerationRequest.greedy(prompt, newTokens), false);
  }
}
