package kv4j.cache;

import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;

/**
 * One sequence's keys and values while it is being computed, and its lease on what the cache shares
 * with it. Used by one thread at a time.
 *
 * <p>Life: {@link KvCache#open}; for each token sought {@link #begin} and one or more forward
 * passes, each of which calls {@link #update} once per layer in order; {@link #commit} for what is
 * worth keeping; {@link #close}, always. A pass may be left between two layers: what is called then
 * concerns the tokens that were in place before it. After {@link #commit} or {@link #close} it does
 * not go on.
 */
public interface KvSequence extends AutoCloseable {
  /** The shape of its keys and values. */
  KvLayout layout();

  /** What the cache found when this sequence was opened. */
  Lookup lookup();

  /** Leading tokens whose keys and values are in place in every layer. */
  int length();

  /**
   * Called before each token is sought (once before prefill, then before each decode step).
   *
   * @return the first position to compute: {@link #length()} for any cache that keeps something
   */
  default int begin() {
    return length();
  }

  /**
   * Asks whether there is memory within the cache's limit for more tokens, and if so sets it aside
   * for this sequence; what others may do without is evicted for it. {@link #update} takes what it
   * needs without it; this is for callers that run many sequences and can postpone one.
   *
   * @param tokens new tokens to come
   * @return whether they fit
   */
  default boolean reserve(int tokens) {
    return true;
  }

  /**
   * The hook: attention hands in the new tokens' keys and values and asks what they may attend to.
   * Called once per attention layer, in order, in each forward pass. The new tokens continue the
   * sequence at position {@link #length()}.
   *
   * @param layer attention layer, from 0
   * @param keys {@code [rows, kvHeads, headDim]}, rotary positions applied; the caller's, reused
   *     after this call
   * @param values {@code [rows, kvHeads, headDim]}
   * @param firstRow the row where this sequence's new tokens begin
   * @param tokens new tokens, at least 1
   * @return spans of all {@code length() + tokens} tokens, the new ones at their end
   */
  KvSpans update(int layer, float[] keys, float[] values, int firstRow, int tokens);

  /**
   * Offers the whole blocks of what has been computed so far to other sequences, while this one
   * goes on. What is kept of it is the cache's from then on and held for this sequence until it is
   * committed or closed; the next pass may read it from blocks that another sequence computed.
   *
   * @param tokens ids from position 0 on; those past {@link #length()} are ignored
   * @return leading tokens that the cache holds for this sequence now; 0 if it shares nothing
   *     before the end
   */
  default int commitPrefix(int[] tokens) {
    return 0;
  }

  /**
   * Offers what has been computed to later sequences. Tokens past {@link #length()} are ignored.
   *
   * @param tokens ids from position 0 on
   */
  void commit(int[] tokens);

  /** Gives back what this sequence holds. May be called more than once. */
  @Override
  void close();
}
