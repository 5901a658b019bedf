package kv4j.apps.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import kv4j.apps.bench.Flops;
import kv4j.apps.workload.Answers;
import kv4j.apps.workload.CacheRow;
import kv4j.apps.workload.GroupRow;
import kv4j.apps.workload.Reply;
import kv4j.apps.workload.Spread;
import kv4j.apps.workload.Workload;
import kv4j.apps.workload.WorkloadReport;
import kv4j.apps.workload.WorkloadReport.Concurrent;
import kv4j.apps.workload.WorkloadReport.Side;
import kv4j.apps.workload.WorkloadRequest;
import kv4j.cache.Lookup;
import kv4j.cache.Lookup.Reason;
import kv4j.inference.GenerationResult;
import kv4j.model.TransformerConfig;
import org.junit.jupiter.api.Test;

/** Three requests, run three times, with times made up. */
class SummaryTest {
  private static final TransformerConfig CONFIG =
      new TransformerConfig(
          2, 8, 2, 1, 4, 16, 10, 100, 1e-5f, 1e4f, TransformerConfig.RopePairing.SPLIT, false);

  private static final Workload WORKLOAD =
      new Workload(
          "made up",
          List.of(
              new WorkloadRequest("ann", new int[10], 8),
              new WorkloadRequest("bob", new int[20], 8, Optional.of("At 9.")),
              new WorkloadRequest("ann", new int[30], 8, Optional.of("At 10."))),
          3);

  private final RowTally none = new RowTally("none", 1, 2);
  private final RowTally request = new RowTally("request", 3, 3);
  private final RowTally tested = new RowTally("mine", 3, 3);

  private static void add(
      RowTally tally, int index, int cached, Reason reason, double ttftMs, double decodeMs) {
    int prompt = WORKLOAD.requests().get(index).prompt().length;
    Lookup lookup = new Lookup(prompt, cached, reason, "");
    long ttft = Math.round(ttftMs * 1e6);
    int[] tokens = new int[tally.newTokens()];
    tally.add(
        index,
        new GenerationResult(
            tokens, lookup, ttft, ttft + Math.round(decodeMs * 1e6), new float[0][]),
        cached == 0 ? "At 9." : "At " + (8 + index) + ".");
  }

  private WorkloadReport report(boolean expectationKnown) {
    return report(expectationKnown, Optional.empty());
  }

  private WorkloadReport report(boolean expectationKnown, Optional<Concurrent> concurrent) {
    double[] noise = {1, 0.5, 7}; // the median is 1
    for (double factor : noise) {
      add(none, 0, 0, Reason.NOT_KEPT, 100, 50);
      add(request, 0, 0, Reason.NOT_KEPT, 100 * factor, 20);
      add(request, 1, 0, Reason.NOT_KEPT, 200 * factor, 20);
      add(request, 2, 0, Reason.NOT_KEPT, 300 * factor, 20);
      add(tested, 0, 0, Reason.COLD, 110 * factor, 20);
      add(tested, 1, 8, Reason.DIVERGED, 60 * factor, 20);
      add(tested, 2, 8, Reason.DIVERGED, 130 * factor, 20);
    }
    return new Summary(CONFIG, WORKLOAD, none, request, List.of(), tested)
        .report(
            new double[] {100, 50, 90},
            new int[] {0, 8, 8},
            expectationKnown,
            new Agreement(),
            Optional.empty(),
            concurrent,
            Optional.empty());
  }

  @Test
  void totalsAreSumsOfMediansOverTheRepeats() {
    WorkloadReport report = report(true);
    CacheRow plain = report.rows().get(1);
    CacheRow cached = report.cached();
    assertEquals(600, plain.totalTtftMs(), 1e-9);
    assertEquals(660, plain.totalLatencyMs(), 1e-9);
    assertEquals(new Spread(60, 110, 130, 130), cached.ttftMs());
    assertEquals(new Spread(80, 130, 150, 150), cached.latencyMs());
    assertEquals(60 / 0.3, cached.promptTokensPerSecond(), 1e-9);
    assertEquals(9 / 0.36, cached.outputTokensPerSecond(), 1e-9);
    assertEquals(16.0 / 60, cached.tokenHitRate());
    assertEquals(2.0 / 3, cached.requestHitRate());
    assertEquals(0.3, report.secondsSaved(), 1e-9);
    assertEquals(List.of("diverged", "cold"), List.copyOf(report.missReasons().keySet()));
    assertEquals(Map.of("diverged", 2, "cold", 1), report.missReasons());
  }

  @Test
  void theSpeedupStandsBesideItsCeilings() {
    WorkloadReport report = report(true);
    assertEquals(600.0 / 300, report.speedup().ttft(), 1e-9);
    assertEquals(660.0 / 360, report.speedup().latency(), 1e-9);
    assertEquals(600.0 / 300, report.speedup().throughput(), 1e-9);
    assertEquals(600.0 / 240, report.ceiling().ttft(), 1e-9);
    assertEquals(660.0 / 300, report.ceiling().latency(), 1e-9);
    double full = Flops.pass(CONFIG, 0, 10) + Flops.pass(CONFIG, 0, 20) + Flops.pass(CONFIG, 0, 30);
    double warm = Flops.pass(CONFIG, 0, 10) + Flops.pass(CONFIG, 8, 12) + Flops.pass(CONFIG, 8, 22);
    double decode =
        Flops.decode(CONFIG, 10, 3) + Flops.decode(CONFIG, 20, 3) + Flops.decode(CONFIG, 30, 3);
    assertEquals(full / warm, report.workCeiling().ttft(), 1e-12);
    assertEquals((full + decode) / (warm + decode), report.workCeiling().latency(), 1e-12);
  }

  @Test
  void rightAnswersAreCountedWhereTheyAreKnown() {
    WorkloadReport report = report(true);
    List<Answers> answers = report.rows().stream().map(CacheRow::answers).toList();
    assertEquals(List.of(new Answers(0, 0), new Answers(2, 1), new Answers(2, 2)), answers);
    assertEquals(Optional.empty(), report.requests().get(0).reply());
    Reply reply = report.requests().get(2).reply().orElseThrow();
    assertEquals(new Reply("At 10.", "At 10.", "At 9."), reply);
    assertTrue(reply.isRight() && !reply.isUncachedRight());
  }

  @Test
  void groupsComeInTheOrderOfTheirFirstRequests() {
    List<GroupRow> groups = report(true).groups();
    assertEquals(List.of("ann", "bob"), groups.stream().map(GroupRow::group).toList());
    GroupRow ann = groups.get(0);
    assertEquals(2, ann.requests());
    assertEquals(40, ann.promptTokens());
    assertEquals(8, ann.cachedTokens());
    assertEquals(new Spread(110, 120, 130, 130), ann.ttftMs());
    assertEquals(new Spread(100, 200, 300, 300), ann.uncachedTtftMs());
    assertEquals(400.0 / 240, ann.ttftSpeedup(), 1e-9);
    assertEquals(0.16, ann.secondsSaved(), 1e-9);
  }

  @Test
  void whatIsNotKnownIsNotExpected() {
    assertEquals(16.0 / 60, report(true).expectedTokenHitRate());
    assertTrue(Double.isNaN(report(false).expectedTokenHitRate()));
  }

  @Test
  void otherTokensAmongOthersAreAFault() {
    Spread spread = Spread.of(1);
    Side side = new Side(1, 60, 16, 9, 60, 9, 0.25, spread, spread);
    for (boolean identical : List.of(true, false)) {
      Concurrent concurrent = new Concurrent(3, side, side, 1, 44, 0, 0, 9, identical);
      boolean found =
          report(true, Optional.of(concurrent))
              .faults()
              .contains("requests got other tokens 3 at a time than one at a time");
      assertEquals(!identical, found);
    }
  }
}
