package kv4j.apps.measure;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;
import kv4j.apps.workload.Answers;
import kv4j.apps.workload.CacheRow;
import kv4j.apps.workload.Spoiled;
import kv4j.apps.workload.Spread;
import kv4j.cache.CacheStats;
import kv4j.cache.Lookup;
import kv4j.inference.GenerationResult;

/**
 * What one cache did on each request of a workload. The time of a request is its median over the
 * repeats, so that totals of groups add up to the total of all. Everything else is taken from the
 * last repeat, as every repeat starts with an empty cache.
 */
final class RowTally {
  private final String cache;
  private final int newTokens;
  private final Timings ttft;
  private final Timings latency;
  private final Lookup[] lookups;
  private final int[][] generated;
  private final String[] said;
  private List<Long> layerLookups = List.of();
  private List<Long> layerHits = List.of();
  private long cacheBytes;
  private boolean keptAll = true;

  RowTally(String cache, int requests, int newTokens) {
    this.cache = cache;
    this.newTokens = newTokens;
    ttft = new Timings(requests);
    latency = new Timings(requests);
    lookups = new Lookup[requests];
    generated = new int[requests][];
    said = new String[requests];
  }

  String cache() {
    return cache;
  }

  int newTokens() {
    return newTokens;
  }

  /**
   * @param text of what was generated
   */
  void add(int request, GenerationResult result, String text) {
    ttft.add(request, result.ttftNanos() / 1e6);
    latency.add(request, result.latencyNanos() / 1e6);
    lookups[request] = result.lookup();
    generated[request] = result.tokens();
    said[request] = text;
  }

  /** Takes note of a cache at the end of a repeat. */
  void endRepeat(MeasuringKvCache measured) {
    layerLookups = measured.layerLookups();
    layerHits = measured.layerHits();
    CacheStats.Storage storage = measured.stats().storage();
    cacheBytes = storage.bytes();
    long superseded = storage.removed(CacheStats.Removal.SUPERSEDED);
    long gone = storage.removed().values().stream().mapToLong(Long::longValue).sum() - superseded;
    keptAll &= gone == 0 && storage.noRoom() == 0;
  }

  /** Whether the cache neither gave up nor turned away anything. */
  boolean keptAll() {
    return keptAll;
  }

  /** Time to first token by request, ms. */
  double[] ttft() {
    return ttft.medians();
  }

  /** Whole time by request, ms. */
  double[] latency() {
    return latency.medians();
  }

  /** What follows the first token by request, ms. */
  double[] decode() {
    double[] decode = latency();
    double[] first = ttft();
    Arrays.setAll(decode, i -> decode[i] - first[i]);
    return decode;
  }

  Lookup lookup(int request) {
    return lookups[request];
  }

  /** The tokens that a request gave. */
  int[] generated(int request) {
    return generated[request];
  }

  /** The text that a request gave. */
  String said(int request) {
    return said[request];
  }

  List<Long> layerLookups() {
    return layerLookups;
  }

  List<Long> layerHits() {
    return layerHits;
  }

  /** Answers that were spoiled on purpose; empty if none was. */
  Optional<Spoiled> spoiled() {
    List<String> faults =
        Arrays.stream(lookups).map(Lookup::fault).filter(fault -> !fault.isEmpty()).toList();
    return faults.stream().findFirst().map(first -> new Spoiled(cache, faults.size(), first));
  }

  /** Requests by why no more was found, the likeliest reason first. */
  Map<String, Integer> missReasons() {
    Map<Lookup.Reason, Integer> counts = new EnumMap<>(Lookup.Reason.class);
    for (Lookup lookup : lookups) {
      counts.merge(lookup.reason(), 1, Integer::sum);
    }
    Map<String, Integer> labelled = new LinkedHashMap<>();
    counts.entrySet().stream()
        .sorted(Map.Entry.<Lookup.Reason, Integer>comparingByValue().reversed())
        .forEach(e -> labelled.put(e.getKey().label(), e.getValue()));
    return labelled;
  }

  /**
   * @param answers how many were right
   */
  CacheRow row(Answers answers) {
    double[] ttftMs = ttft();
    double[] latencyMs = latency();
    double totalTtft = DoubleStream.of(ttftMs).sum();
    double totalLatency = DoubleStream.of(latencyMs).sum();
    long promptTokens = Arrays.stream(lookups).mapToLong(Lookup::promptTokens).sum();
    long cachedTokens = Arrays.stream(lookups).mapToLong(Lookup::cachedTokens).sum();
    long hits = Arrays.stream(lookups).filter(Lookup::isHit).count();
    return new CacheRow(
        cache,
        lookups.length,
        newTokens,
        Spread.of(ttftMs),
        Spread.of(latencyMs),
        totalTtft,
        totalLatency,
        1000.0 * promptTokens / totalTtft,
        1000.0 * Arrays.stream(generated).mapToInt(tokens -> tokens.length).sum() / totalLatency,
        (double) cachedTokens / promptTokens,
        (double) hits / lookups.length,
        (double) sum(layerHits) / sum(layerLookups),
        cacheBytes,
        answers);
  }

  private static long sum(List<Long> counts) {
    return counts.stream().mapToLong(Long::longValue).sum();
  }
}
