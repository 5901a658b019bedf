package kv4j.apps.report;

import static kv4j.apps.report.Format.number;
import static kv4j.apps.report.Format.percent;
import static kv4j.apps.report.Format.times;
import static kv4j.apps.report.TextPage.left;
import static kv4j.apps.report.TextPage.right;

import java.util.List;
import java.util.Map;
import kv4j.apps.workload.WorkloadReport.Concurrent;
import kv4j.apps.workload.WorkloadReport.Side;

/** Says what it bought to run a workload's requests several at a time. */
final class ConcurrentPrinter {
  private ConcurrentPrinter() {}

  static void print(Page page, Concurrent concurrent) {
    String several = concurrent.concurrency() + " at a time";
    List<Map.Entry<String, Side>> rows =
        List.of(
            Map.entry("one at a time", concurrent.oneAtATime()),
            Map.entry(several, concurrent.atOnce()));
    page.line(several + ", with continuous batching, against one at a time:");
    page.table(
        rows,
        List.of(
            left("requests", Map.Entry::getKey),
            right("total\ns", row -> number(row.getValue().totalMs() / 1000)),
            right("prompt\ntok/s", row -> number(row.getValue().promptTokensPerSecond())),
            right("output\ntok/s", row -> number(row.getValue().outputTokensPerSecond())),
            right("token\nhit rate", row -> percent(row.getValue().tokenHitRate()))));
    page.table(
        rows,
        List.of(
            left("requests", Map.Entry::getKey),
            right("TTFT ms\nmedian", row -> number(row.getValue().ttftMs().median())),
            right("\np95", row -> number(row.getValue().ttftMs().p95())),
            right("latency ms\nmedian", row -> number(row.getValue().latencyMs().median())),
            right("\np95", row -> number(row.getValue().latencyMs().p95()))));
    page.line(several + ", speedup in total time: " + times(concurrent.speedup()));
    page.line(
        "%s, identical tokens: %s".formatted(several, concurrent.identicalTokens() ? "yes" : "NO"));
    page.paragraph(
        "%s, preemptions: %d, tokens computed again: %d, passes: %d"
            .formatted(
                several,
                concurrent.preemptions(),
                concurrent.recomputedTokens(),
                concurrent.passes()));
    page.paragraph(
        "Here tokens/s are all tokens over the total time, and TTFT and latency count from when a"
            + " request is submitted, queueing included.");
  }
}
