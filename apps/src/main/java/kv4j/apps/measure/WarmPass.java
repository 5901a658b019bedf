package kv4j.apps.measure;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import kv4j.apps.bench.Forward;
import kv4j.apps.bench.Pass;
import kv4j.apps.bench.PassTimer;
import kv4j.apps.bench.RewindableSequence;
import kv4j.apps.workload.Spread;
import kv4j.cache.block.KvLayout;

/**
 * Times forward passes over the end of a prompt whose beginning is in place, on a sequence that
 * simply goes on: no lookup, no commit, no sampling.
 */
final class WarmPass {
  private static final int SHORT_PART = 4;
  private static final int MOST_PASSES = 3;
  private static final double ENOUGH_MS = 60;

  private final Forward engine;
  private final RewindableSequence sequence;
  private int[] held = {};

  WarmPass(Forward engine, KvLayout layout) {
    this.engine = engine;
    sequence = new RewindableSequence(layout);
  }

  /**
   * Computes the tokens from {@code from} on. A pass over at most a quarter of the prompt runs up
   * to three times, until enough time has been spent, and the median counts: such a pass is cheap
   * to repeat, and short enough for one interruption to distort it.
   *
   * @param from leading tokens to have in place; what of them the last prompt did not have is
   *     computed first and not timed
   * @return ms
   */
  double millis(int[] prompt, int from) {
    int differ = Arrays.mismatch(held, prompt);
    int common = Math.min(from, differ < 0 ? held.length : differ);
    sequence.goBackTo(common);
    Pass pass = new Pass(from, prompt.length - from);
    boolean isShort = (prompt.length - from) * SHORT_PART <= prompt.length;
    List<Double> passes = new ArrayList<>();
    double spent = 0;
    do {
      double ms = PassTimer.millis(engine, sequence, prompt, pass);
      passes.add(ms);
      spent += ms;
    } while (isShort && passes.size() < MOST_PASSES && spent < ENOUGH_MS);
    held = prompt;
    return Spread.of(passes).median();
  }
}
