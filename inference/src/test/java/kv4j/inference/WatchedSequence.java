package kv4j.inference;

import java.util.function.IntConsumer;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.block.KvSpans;

/**
 * Another sequence, with something to do in the middle of each pass.
 *
 * @param atLayer is told the number of each layer that hands in keys and values, before they are
 *     taken
 */
record WatchedSequence(KvSequence sequence, IntConsumer atLayer) implements KvSequence {
  @Override
  public KvSpans update(int layer, float[] keys, float[] values, int firstRow, int tokens) {
    atLayer.accept(layer);
    return sequence.update(layer, keys, values, firstRow, tokens);
  }

  @Override
  public Lookup lookup() {
    return sequence.lookup();
  }

  @Override
  public int length() {
    return sequence.length();
  }

  @Override
  public int begin() {
    return sequence.begin();
  }

  @Override
  public void commit(int[] tokens) {
    sequence.commit(tokens);
  }

  @Override
  public void close() {
    sequence.close();
  }
}
