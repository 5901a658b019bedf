package kv4j.apps.bench;

import java.util.LinkedHashMap;
import java.util.Map;
import kv4j.apps.report.Csv;
import kv4j.apps.report.Phase;
import kv4j.apps.report.RunInfo;
import kv4j.apps.workload.Spread;

/**
 * How long processes took from their start to the first token.
 *
 * @param info what ran
 * @param processes that were counted
 * @param promptTokens of the prompt that each computed
 * @param phases what the time went to, ms; NaN where the system does not tell
 * @param firstToken all phases together, ms; likewise
 * @param peakBytes most memory of a process, or 0 where the system does not tell
 */
public record ColdReport(
    RunInfo info,
    int processes,
    int promptTokens,
    Map<Phase, Spread> phases,
    Spread firstToken,
    Spread peakBytes) {
  /** A row for each phase. */
  public String csv() {
    Csv csv = new Csv("phase", "min_ms", "median_ms", "p95_ms", "max_ms");
    phases.forEach((phase, ms) -> csv.row(phase.key(), ms.min(), ms.median(), ms.p95(), ms.max()));
    return csv.toString();
  }

  /** As a tree for JSON. */
  public Map<String, Object> document() {
    Map<String, Object> byPhase = new LinkedHashMap<>();
    phases.forEach((phase, ms) -> byPhase.put(phase.key(), ms));
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("phasesMs", byPhase);
    document.put("firstTokenMs", firstToken);
    document.put("peakBytes", peakBytes);
    document.put("processes", processes);
    document.put("promptTokens", promptTokens);
    document.put("machine", BenchReport.machine());
    document.put("model", info.model());
    document.put("backend", info.backend());
    return document;
  }
}
