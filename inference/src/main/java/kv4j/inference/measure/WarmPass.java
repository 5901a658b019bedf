package kv4j.inference.measure;

import java.util.Arrays;
import kv4j.cache.Lookup;
import kv4j.cache.block.BlockSequence;
import kv4j.cache.block.KvLayout;
import kv4j.inference.InferenceEngine;

/**
 * Times forward passes over the end of a prompt whose beginning is in place, on a sequence that
 * simply goes on: no lookup, no commit, no sampling.
 */
final class WarmPass {
  private final InferenceEngine engine;
  private final Sequence sequence;
  private int[] held = {};

  WarmPass(InferenceEngine engine, KvLayout layout) {
    this.engine = engine;
    sequence = new Sequence(layout);
  }

  /**
   * Computes the tokens from {@code from} on.
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
      engine.forward(sequence, prompt, common, from);
    }
    long start = System.nanoTime();
    engine.forward(sequence, prompt, from, prompt.length);
    long nanos = System.nanoTime() - start;
    held = prompt;
    return nanos / 1e6;
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
