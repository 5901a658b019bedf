package kv4j.apps.bench;

import kv4j.cache.KvSequence;

/** What computes tokens of a sequence: {@link kv4j.inference.InferenceEngine#forward}. */
@FunctionalInterface
public interface Forward {
  /**
   * Computes some positions of a sequence.
   *
   * @param sequence where the keys and values are; its length is {@code from}
   * @param tokens ids from position 0 on
   * @param from first new position
   * @param to end (exclusive) of the new positions
   */
  void run(KvSequence sequence, int[] tokens, int from, int to);
}
