package kv4j.apps.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import kv4j.apps.workload.Spread;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.inference.InferenceEngine;

/**
 * Times forward passes in turns, because a machine's speed drifts, after a warm-up that ends when
 * they no longer get faster.
 */
public final class PassTimer {
  /** A pass with few rows is short, and an interruption long beside it: it runs more often. */
  private static final int FEW_ROWS = 64;

  private static final int SHORT_PASS_TURNS = 4;
  private static final int BLOCK_TOKENS = 16;
  private static final long SEED = 1;

  private PassTimer() {}

  /**
   * Times an engine's passes on a sequence of their own.
   *
   * @param passes in an order in which each finds in place what the one before it left, as far as
   *     may be
   * @param patience rounds without improvement that end the warm-up
   * @param rounds to measure; passes of few rows run four times in each
   * @param afterRound told after each of those
   * @return ms, in the order of the passes
   */
  public static Map<Pass, Spread> time(
      InferenceEngine engine, List<Pass> passes, int patience, int rounds, Runnable afterRound) {
    int[] tokens =
        new SplittableRandom(SEED)
            .ints(engine.model().config().context(), 0, engine.model().config().vocabulary())
            .toArray();
    KvLayout layout = engine.layout(BLOCK_TOKENS, KvDtype.F32);
    try (RewindableSequence sequence = new RewindableSequence(layout)) {
      return inTurns(
          passes,
          pass -> millis(engine::forward, sequence, tokens, pass),
          patience,
          rounds,
          afterRound);
    }
  }

  /**
   * Brings a sequence to where a pass begins and runs the pass; only that is timed.
   *
   * @return ms
   */
  public static double millis(
      Forward engine, RewindableSequence sequence, int[] tokens, Pass pass) {
    sequence.goBackTo(Math.min(pass.before(), sequence.length()));
    if (sequence.length() < pass.before()) {
      engine.run(sequence, tokens, sequence.length(), pass.before());
    }
    long start = System.nanoTime();
    engine.run(sequence, tokens, pass.before(), pass.end());
    return (System.nanoTime() - start) / 1e6;
  }

  /** Runs all passes one after another, the ones of few rows in several turns, round by round. */
  static Map<Pass, Spread> inTurns(
      List<Pass> passes,
      ToDoubleFunction<Pass> millis,
      int patience,
      int rounds,
      Runnable afterRound) {
    List<Pass> round = new ArrayList<>();
    for (int turn = 0; turn < SHORT_PASS_TURNS; turn++) {
      for (Pass pass : passes) {
        if (turn == 0 || pass.rows() <= FEW_ROWS) {
          round.add(pass);
        }
      }
    }
    WarmUp.run(patience, () -> round.stream().mapToDouble(millis).sum());
    Map<Pass, List<Double>> times = new LinkedHashMap<>();
    for (int i = 0; i < rounds; i++) {
      for (Pass pass : round) {
        times.computeIfAbsent(pass, p -> new ArrayList<>()).add(millis.applyAsDouble(pass));
      }
      afterRound.run();
    }
    Map<Pass, Spread> spreads = new LinkedHashMap<>();
    times.forEach((pass, ms) -> spreads.put(pass, Spread.of(ms)));
    return spreads;
  }
}
