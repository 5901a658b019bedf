package kv4j.apps.workload;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What running a workload with and without a cache measured.
 *
 * @param rows one per cache, {@code none} first (if run), then {@code request}, then the cache
 *     under test
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
 * @param faults what is wrong with the answers or the hits, a clause each; empty if nothing is
 */
public record WorkloadReport(
    List<CacheRow> rows,
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
    List<String> faults) {
  public WorkloadReport {
    faults = List.copyOf(faults);
    rows = List.copyOf(rows);
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
