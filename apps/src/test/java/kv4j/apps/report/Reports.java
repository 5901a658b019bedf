package kv4j.apps.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kv4j.apps.workload.Answers;
import kv4j.apps.workload.CacheRow;
import kv4j.apps.workload.GroupRow;
import kv4j.apps.workload.Reply;
import kv4j.apps.workload.RequestRow;
import kv4j.apps.workload.Restart;
import kv4j.apps.workload.Rounding;
import kv4j.apps.workload.Speedup;
import kv4j.apps.workload.Spoiled;
import kv4j.apps.workload.Spread;
import kv4j.apps.workload.WorkloadReport;

/** Made-up reports. */
final class Reports {
  static final int LAYERS = 32;
  static final RunInfo INFO =
      new RunInfo(
          new RunInfo.Model("demo-32", LAYERS, 24_123_456),
          new RunInfo.Backend("CpuBackend", "OPENBLAS", 2, "cpu"),
          Optional.of("plain text"));

  private Reports() {}

  /** With figures as wide as they get, for a person who waits for hours. */
  static WorkloadReport wide() {
    List<Long> hits = new ArrayList<>(Collections.nCopies(LAYERS, 39L));
    hits.set(LAYERS - 1, 20L);
    return new WorkloadReport(
        List.of(
            row("none", 1, 123_456.789, 0, 0, new Answers(0, 0)),
            row("request", 40_000, 98_765.4321, 0, 0, new Answers(9, 8)),
            row("faulty:layer=3", 40_000, 9_876.54321, 0.975, 987_654_321_012L, new Answers(9, 1))),
        List.of(
            new RequestRow(
                "planner",
                1_000,
                0,
                "cold",
                90.5,
                91.25,
                91.25,
                120.5,
                121,
                List.of(5),
                Optional.empty()),
            new RequestRow(
                "<b>coder</b>, \"=1\"",
                1_048,
                1_000,
                "diverged",
                9.5,
                95.75,
                8.125,
                40,
                126,
                List.of(6),
                Optional.of(new Reply("At 9.", "At <i>10</i>, \"=2\".", "At 9.")))),
        List.of(group("planner", 1_234_567), group("reviewer", 2_345_678), group("coder", 0)),
        new Speedup(8.3125, 2.5, 8.3125),
        new Speedup(9.5, 2.625, 9.5),
        new Speedup(12.5, Double.NaN, 12.5),
        0.975,
        123_456.7,
        true,
        3.25e-6,
        1.9e-4,
        hits,
        Collections.nCopies(LAYERS, 40L),
        Map.of("diverged", 39_999, "cold", 1),
        Optional.of(new Rounding("bf16", 131_072, 262_144, 1.25e-2, 0.9875)),
        Optional.of(concurrent()),
        Optional.of(
            new Restart(
                "cluster:a-long-name,disk:/a/long/folder/for/blocks",
                40_000,
                123_456.7,
                1_234_567_890,
                987_654_321,
                2.5e9,
                new Spread(1, 12_345.6, 123_456.7, 234_567.8),
                new Spread(1, 2_345.6, 23_456.7, 34_567.8),
                12.25,
                14.5,
                false,
                false)),
        List.of(new Spoiled("faulty:layer=3", 39_999, "values of layer 3, all heads, all tokens")),
        List.of("something is wrong"));
  }

  private static WorkloadReport.Concurrent concurrent() {
    WorkloadReport.Side side =
        new WorkloadReport.Side(
            98_765_432.1,
            1_234_567_890,
            987_654_321,
            640_000,
            123_456.7,
            12_345.6,
            0.8,
            new Spread(1, 12_345.6, 123_456.7, 234_567.8),
            new Spread(1, 112_345.6, 1_123_456.7, 1_234_567.8));
    return new WorkloadReport.Concurrent(
        64, side, side, 12.25, 246_913_569, 123_456, 12_345, 1_234_567, false);
  }

  private static CacheRow row(
      String cache, int requests, double millis, double hitRate, long cacheBytes, Answers answers) {
    Spread spread = new Spread(millis / 2, millis, 1.5 * millis, 2 * millis);
    return new CacheRow(
        cache,
        requests,
        16,
        spread,
        spread,
        requests * millis,
        requests * millis,
        123_456.7,
        1_234.5,
        hitRate,
        hitRate,
        hitRate,
        cacheBytes,
        answers);
  }

  private static GroupRow group(String name, long promptTokens) {
    Spread spread = new Spread(1, 12_345.6, 3, 4);
    return new GroupRow(
        name, 12_345, promptTokens, promptTokens / 2, spread, spread, 1_234.5, -12_345.6);
  }
}
