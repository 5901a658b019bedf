package kv4j.apps.measure;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import kv4j.apps.report.Progress;
import kv4j.apps.workload.Restart;
import kv4j.apps.workload.Spread;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.block.KvDtype;
import kv4j.cache.radix.RadixKvCache;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.StoreConfig;
import kv4j.cache.store.StoreStats;
import kv4j.inference.GenerationRequest;
import kv4j.inference.GenerationResult;
import kv4j.inference.Generator;
import kv4j.inference.InferenceEngine;

/**
 * Measures what a store is worth after a restart: the first request runs and is written down, all
 * is closed and opened again, and then some others run, each on an empty memory, so that each is
 * the first after a restart. They share with the first request what the workload's prompts share.
 */
final class RestartRun {
  private static final int MOST_REQUESTS = 8;

  /**
   * The store to use.
   *
   * @param name for people
   * @param opener opens it, as often as it is asked
   * @param config how a cache uses it
   */
  record Behind(
      String name, Supplier<BlockStore> opener, Function<BlockStore, StoreConfig> config) {}

  private final InferenceEngine engine;
  private final KvCacheConfig config;
  private final Behind behind;
  private final List<GenerationRequest> requests;
  private final Progress progress;
  private final WarmPass warmPass;
  private final Agreement agreement = new Agreement();

  RestartRun(
      InferenceEngine engine,
      KvCacheConfig config,
      Behind behind,
      List<GenerationRequest> requests,
      Progress progress) {
    this.engine = engine;
    this.config = config;
    this.behind = behind;
    this.requests = requests;
    this.progress = progress;
    warmPass = new WarmPass(engine::forward, config.layout());
  }

  /** How many requests run, of a workload of so many. */
  static int steps(int requests) {
    return 1 + count(requests);
  }

  private static int count(int requests) {
    return Math.min(MOST_REQUESTS, Math.max(1, requests - 1));
  }

  /**
   * Runs and measures.
   *
   * @param plain results of requests without a prefix cache, at least of those that run here
   */
  Restart run(List<GenerationResult> plain) {
    writeDown();
    long opening = System.nanoTime();
    try (BlockStore store = open()) {
      double openMs = millisSince(opening);
      int first = Math.min(1, requests.size() - 1);
      List<Integer> others = new ArrayList<>();
      for (int i = 0; i < count(requests.size()); i++) {
        others.add(first + i);
      }
      return measure(store, openMs, others, plain);
    }
  }

  private void writeDown() {
    try (BlockStore store = open();
        RadixKvCache cache = cache(store)) {
      generate(cache, 0);
      progress.step("writing to the store");
    }
  }

  private BlockStore open() {
    BlockStore store = behind.opener().get();
    try {
      store.ready().join();
      return store;
    } catch (RuntimeException e) {
      store.close();
      throw new IllegalArgumentException(
          "the store " + behind.name() + " cannot be opened: " + e.getCause(), e);
    }
  }

  private static double millisSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e6;
  }

  private Restart measure(
      BlockStore store, double openMs, List<Integer> others, List<GenerationResult> plain) {
    double[] computed = new double[others.size()];
    double[] stored = computed.clone();
    double warmMs = 0;
    long promptTokens = 0;
    long storeTokens = 0;
    long readBytes = 0;
    long readNanos = 0;
    for (int i = 0; i < others.size(); i++) {
      int index = others.get(i);
      int[] prompt = requests.get(index).prompt();
      try (RadixKvCache cache = cache(store)) {
        GenerationResult result = generate(cache, index);
        agreement.compare(plain.get(index), result);
        computed[i] = plain.get(index).ttftNanos() / 1e6;
        stored[i] = result.ttftNanos() / 1e6;
        promptTokens += prompt.length;
        storeTokens += result.lookup().storeTokens();
        StoreStats stats = cache.stats().store().orElseThrow();
        readBytes += stats.readBytes();
        readNanos += stats.readNanos();
        warmMs += warmPass.millis(prompt, result.lookup().cachedTokens());
      }
      progress.step("after a restart, request " + (i + 1) + " of " + others.size());
    }
    double computedMs = sum(computed);
    KvDtype kept = behind.config().apply(store).dtype();
    return new Restart(
        behind.name(),
        others.size(),
        openMs,
        promptTokens,
        storeTokens,
        readNanos == 0 ? 0 : 1e9 * readBytes / readNanos,
        Spread.of(computed),
        Spread.of(stored),
        computedMs / sum(stored),
        computedMs / warmMs,
        kept == config.layout().dtype(),
        agreement.identical());
  }

  private static double sum(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }

  private RadixKvCache cache(BlockStore store) {
    return new RadixKvCache(config.withStore(behind.config().apply(store)));
  }

  private GenerationResult generate(RadixKvCache cache, int index) {
    return new Generator(engine, cache).generate(requests.get(index), true);
  }
}
