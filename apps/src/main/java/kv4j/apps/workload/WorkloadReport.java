package kv4j.apps.workload;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What running a workload with and without a cache measured.
 *
 * @param rows one per cache, {@code none} first (if run), then {@code request}, then the cache
 *     under test
 * @param requests one for each request, in order
 * @param groups one per group of requests, for the cache under test
 * @param speedup the cache under test against {@code request}, over the same requests
 * @param ceiling the engine ceiling: what this engine could reach if the cache cost nothing, from
 *     the {@code request} row's own times and those of the bare passes over what is not cached
 * @param workCeiling what arithmetic alone allows
 * @param expectedTokenHitRate worked out from the workload on paper, for a cache with room for all
 *     of it; NaN for a cache that is not kv4j's own, of which nothing is known
 * @param secondsSaved total latency without − with the cache, s
 * @param identicalTokens whether all runs of a request gave the same tokens
 * @param maxLogitDifference largest |difference| between a cached and an uncached logit
 * @param logitTolerance what that may be at most: 1e-4 × max(1, largest |logit|)
 * @param layerHits per layer, requests it answered from the cache at prefill (cache under test)
 * @param layerLookups per layer, requests that asked it
 * @param missReasons requests of the cache under test, by why no more was cached
 * @param rounding what fewer bits did to the answers; empty for 32-bit floats
 * @param concurrent what running requests several at a time measured; empty if none did, and then
 *     not in JSON either
 * @param restart what a store was worth after a restart; empty if there was none, and then not in
 *     JSON either
 * @param spoiled answers of caches that are wrong on purpose; empty where nobody asked for one
 * @param faults what is wrong with the answers or the hits, a clause each; empty if nothing is
 */
public record WorkloadReport(
    List<CacheRow> rows,
    List<RequestRow> requests,
    List<GroupRow> groups,
    Speedup speedup,
    Speedup ceiling,
    Speedup workCeiling,
    double expectedTokenHitRate,
    double secondsSaved,
    boolean identicalTokens,
    double maxLogitDifference,
    double logitTolerance,
    List<Long> layerHits,
    List<Long> layerLookups,
    Map<String, Integer> missReasons,
    Optional<Rounding> rounding,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<Concurrent> concurrent,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<Restart> restart,
    List<Spoiled> spoiled,
    List<String> faults) {
  /**
   * The same requests with the cache under test, several at a time and one at a time. Counts are of
   * the last repeat, times are medians over the repeats.
   *
   * @param concurrency how many ran at once, at most
   * @param oneAtATime what the cache under test did with one at a time
   * @param atOnce what it did with several
   * @param speedup total time of one at a time ÷ that of several
   * @param computedPromptTokens prompt tokens that were computed with several; with those that were
   *     cached, all of them
   * @param recomputedTokens tokens computed once more for a request that had given way
   * @param preemptions times that a request gave way to others
   * @param passes forward passes with several
   * @param identicalTokens whether each request got the tokens that it got alone, but for two that
   *     were as good as equal
   */
  public record Concurrent(
      int concurrency,
      Side oneAtATime,
      Side atOnce,
      double speedup,
      long computedPromptTokens,
      long recomputedTokens,
      long preemptions,
      long passes,
      boolean identicalTokens) {}

  /**
   * One way to run the requests.
   *
   * @param totalMs until all have ended; of one at a time the sum of their latencies
   * @param promptTokens of all prompts
   * @param cachedTokens those of them that the cache had
   * @param generatedTokens of all answers
   * @param promptTokensPerSecond prompt tokens ÷ total time
   * @param outputTokensPerSecond generated tokens ÷ total time
   * @param tokenHitRate cached tokens ÷ prompt tokens
   * @param ttftMs time to first token from being submitted, queueing included
   * @param latencyMs whole request, likewise
   */
  public record Side(
      double totalMs,
      long promptTokens,
      long cachedTokens,
      long generatedTokens,
      double promptTokensPerSecond,
      double outputTokensPerSecond,
      double tokenHitRate,
      Spread ttftMs,
      Spread latencyMs) {}

  public WorkloadReport {
    spoiled = List.copyOf(spoiled);
    faults = List.copyOf(faults);
    rows = List.copyOf(rows);
    requests = List.copyOf(requests);
    groups = List.copyOf(groups);
    layerHits = List.copyOf(layerHits);
    layerLookups = List.copyOf(layerLookups);
  }

  /** The row of the {@code request} cache, which the cache under test is compared with. */
  public CacheRow uncached() {
    return rows.get(1);
  }

  /** The row of the cache under test. */
  public CacheRow cached() {
    return rows.get(rows.size() - 1);
  }
}
