package kv4j.apps.measure;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import kv4j.apps.report.Progress;
import kv4j.apps.store.OpenStore;
import kv4j.apps.workload.Restart;
import kv4j.apps.workload.Spread;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.radix.RadixKvCache;
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
final class RestartRun implements AutoCloseable {
  private static final int MOST_REQUESTS = 8;

  private final InferenceEngine engine;
  private final KvCacheConfig config;
  private final Supplier<OpenStore> opener;
  private final Progress progress;
  private final Agreement agreement = new Agreement();
  private OpenStore store; // the one that is open

  /**
   * Begins to open the store, so that what is wrong with it is said before anything runs.
   *
   * @param config of the cache, without a store
   * @param opener opens the store, as often as it is asked
   * @throws IllegalArgumentException with one sentence if it cannot be opened
   */
  RestartRun(
      InferenceEngine engine, KvCacheConfig config, Supplier<OpenStore> opener, Progress progress) {
    this.engine = engine;
    this.config = config;
    this.opener = opener;
    this.progress = progress;
    store = opener.get();
  }

  /** How many requests run, of a workload of so many. */
  static int steps(int requests) {
    return 1 + others(requests);
  }

  /** How many requests run after the restart. */
  private static int others(int requests) {
    return Math.min(MOST_REQUESTS, Math.max(1, requests - 1));
  }

  /** Requests that {@link #run} needs, of a workload of so many. */
  static int needed(int requests) {
    return Math.min(requests, 1 + others(requests));
  }

  /**
   * Runs and measures.
   *
   * @param requests the first ones of a workload
   * @param plain what they gave without a prefix cache
   * @throws IllegalArgumentException with one sentence if the store turns out not to open
   */
  Restart run(List<GenerationRequest> requests, List<GenerationResult> plain) {
    store.join();
    try (RadixKvCache cache = cache()) {
      generate(cache, requests.get(0));
    }
    progress.step("writing to the store");
    store.close();
    long begin = System.nanoTime();
    store = opener.get();
    store.join();
    double openMs = (System.nanoTime() - begin) / 1e6;
    int first = Math.min(1, requests.size() - 1);
    return measure(
        openMs, requests.subList(first, requests.size()), plain.subList(first, requests.size()));
  }

  private Restart measure(
      double openMs, List<GenerationRequest> requests, List<GenerationResult> plain) {
    List<Double> computed = new ArrayList<>();
    List<Double> stored = new ArrayList<>();
    double warmMs = 0;
    long promptTokens = 0;
    long storeTokens = 0;
    long readBytes = 0;
    long readNanos = 0;
    WarmPass warmPass = new WarmPass(engine::forward, config.layout());
    for (int i = 0; i < requests.size(); i++) {
      int[] prompt = requests.get(i).prompt();
      try (RadixKvCache cache = cache()) {
        GenerationResult result = generate(cache, requests.get(i));
        agreement.compare(plain.get(i), result);
        computed.add(plain.get(i).ttftNanos() / 1e6);
        stored.add(result.ttftNanos() / 1e6);
        promptTokens += prompt.length;
        storeTokens += result.lookup().storeTokens();
        StoreStats stats = cache.stats().store().orElseThrow();
        readBytes += stats.readBytes();
        readNanos += stats.readNanos();
        warmMs += warmPass.millis(prompt, result.lookup().cachedTokens());
      }
      progress.step("after a restart, request " + (i + 1) + " of " + requests.size());
    }
    StoreConfig kept = store.behind(config).store().orElseThrow();
    double computedMs = sum(computed);
    return new Restart(
        store.name(),
        requests.size(),
        openMs,
        promptTokens,
        storeTokens,
        readNanos == 0 ? 0 : 1e9 * readBytes / readNanos,
        Spread.of(computed),
        Spread.of(stored),
        computedMs / sum(stored),
        computedMs / warmMs,
        kept.dtype() == config.layout().dtype(),
        agreement.identical());
  }

  private static double sum(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).sum();
  }

  private RadixKvCache cache() {
    return new RadixKvCache(store.behind(config));
  }

  private GenerationResult generate(RadixKvCache cache, GenerationRequest request) {
    return new Generator(engine, cache).generate(request, true);
  }

  @Override
  public void close() {
    store.close();
  }
}
