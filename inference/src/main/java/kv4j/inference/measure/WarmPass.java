package kv4j.inference.measure;

import java.util.Arrays;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.block.BlockSequence;
import kv4j.cache.block.KvLayout;
import kv4j.inference.workload.Spread;

/**
 * Times forward passes over the end of a prompt whose beginning is in place, on a sequence that
 * simply goes on: no lookup, no commit, no sampling.
 */
final class WarmPass {
  private static final int SHORT_PART = 4;
  private static final int SHORT_PASSES = 3;

  /** What computes tokens of a sequence: {@link kv4j.inference.InferenceEngine#forward}. */
  interface Forward {
    void run(KvSequence sequence, int[] tokens, int from, int to);
  }

  private final Forward engine;
  private final Sequence sequence;
  private int[] held = {};

  WarmPass(Forward engine, KvLayout layout) {
    this.engine = engine;
    sequence = new Sequence(layout);
  }

  /**
   * Computes the tokens from {@code from} on. A pass over at most a quarter of the prompt runs
   * three times and the median counts: an interruption is long beside it, and it costs little.
   *
   * @param from leading tokens to have in place; what of them the last prompt did not have is
   *     computed first and not timed
   * @return ms
   */
  double millis(int[] prompt, int from) {
    int differ = Arrays.mismatch(held, prompt);
    int common = Math.min(from, differ < 0 ? held.length : differ);
    sequence.goBackTo(common);
    if (common < from) {
      engine.run(sequence, prompt, common, from);
    }
    boolean isShort = (prompt.length - from) * SHORT_PART <= prompt.length;
    double[] passes = new double[isShort ? SHORT_PASSES : 1];
    for (int i = 0; i < passes.length; i++) {
      sequence.goBackTo(from);
      long start = System.nanoTime();
      engine.run(sequence, prompt, from, prompt.length);
      passes[i] = (System.nanoTime() - start) / 1e6;
    }
    held = prompt;
    return Spread.of(passes).median();
  }

  private static final class Sequence extends BlockSequence {
    Sequence(KvLayout layout) {
      super(layout);
    }

    void goBackTo(int length) {
      rewind(length);
    }

    @Override
    public Lookup lookup() {
      return new Lookup(0, 0, Lookup.Reason.NOT_KEPT, "");
    }

    @Override
    public void commit(int[] tokens) {}

    @Override
    public void close() {
      reset();
    }
  }
}
