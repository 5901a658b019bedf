package kv4j.apps.bench;

import java.io.IOException;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import kv4j.apps.report.Progress;
import kv4j.apps.report.RunInfo;
import kv4j.apps.workload.Spread;
import kv4j.inference.InferenceEngine;
import kv4j.inference.kernel.Kernels;
import kv4j.model.Model;

/** Measures an engine's passes, the machine, and what they are compared to, one after another. */
public final class Bench {
  /** Far more than the caches of a processor have, where the heap allows it. */
  private static final long SWEEP_BYTES = 2L << 30;

  private static final int HEAP_PART = 4;

  /** Rounds without improvement that end the warm-up. */
  private static final int PATIENCE = 5;

  /** The same of SameDiff's own session, which is slow. */
  private static final int LITTLE_PATIENCE = 2;

  /** At a long context there is none: the passes before have warmed up the same code. */
  private static final int NO_PATIENCE = 0;

  private final Model model;
  private final BenchOptions options;
  private final Progress progress;
  private final Map<Pass, Spread> times = new LinkedHashMap<>();
  private final Map<Comparison, Map<Pass, Spread>> others = new EnumMap<>(Comparison.class);

  private Bench(Model model, BenchOptions options, Progress progress) {
    this.model = model;
    this.options = options;
    this.progress = progress;
  }

  /** Number of steps that {@link #run} tells the progress of. */
  public static int steps(BenchOptions options) {
    int others = 0;
    for (Comparison comparison : options.comparisons()) {
      others += comparison == Comparison.STOCK ? options.stockRounds() : 1;
    }
    return 2 + options.repeat() + options.longRounds() + others;
  }

  /**
   * Runs all.
   *
   * @param info of this run
   * @param otherJvm that measures what this process cannot
   */
  public static BenchReport run(
      Model model, BenchOptions options, RunInfo info, OtherJvm otherJvm, Progress progress)
      throws IOException, InterruptedException {
    Bench bench = new Bench(model, options, progress);
    ReadWeights weights = ReadWeights.of(model); // before the stock session has them expanded
    MachineLimits before = bench.limits();
    bench.engine();
    MachineLimits limits = before.or(bench.limits());
    for (Comparison comparison : options.comparisons()) {
      bench.compare(comparison, otherJvm);
    }
    return new BenchReport(
        info,
        model.config(),
        weights,
        Kernels.best().name(),
        options.engine().prefillChunk(),
        limits,
        bench.times,
        bench.others);
  }

  private MachineLimits limits() {
    long most = Runtime.getRuntime().maxMemory() / HEAP_PART;
    MachineLimits limits =
        MachineLimits.measure(options.engine().threads(), Math.min(SWEEP_BYTES, most));
    progress.step("the machine's limits");
    return limits;
  }

  private void engine() {
    try (InferenceEngine engine = InferenceEngine.create(model, options.engine())) {
      times.putAll(
          PassTimer.time(
              engine,
              BenchReport.SHORT,
              PATIENCE,
              options.repeat(),
              () -> progress.step("around 512 tokens")));
      times.putAll(
          PassTimer.time(
              engine,
              options.longPasses(),
              NO_PATIENCE,
              options.longRounds(),
              () -> progress.step("long context")));
    }
  }

  private void compare(Comparison comparison, OtherJvm otherJvm)
      throws IOException, InterruptedException {
    if (comparison == Comparison.STOCK) {
      others.put(
          comparison,
          StockTimer.time(
              model,
              options.engine().threads(),
              BenchReport.SHORT,
              LITTLE_PATIENCE,
              options.stockRounds(),
              () -> progress.step(comparison.label())));
    } else {
      others.put(comparison, otherJvm.run(comparison, options.passes()));
      progress.step(comparison.label());
    }
  }
}
