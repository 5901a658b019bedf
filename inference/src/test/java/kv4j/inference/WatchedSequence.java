package kv4j.inference;

import java.util.function.IntConsumer;
import kv4j.cache.DelegatingSequence;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvSpans;

/** Another sequence, with something to do in the middle of each pass. */
public final class WatchedSequence extends DelegatingSequence {
  private final IntConsumer atLayer;

  /**
   * @param atLayer is told the number of each layer that hands in keys and values, before they are
   *     taken
   */
  public WatchedSequence(KvSequence sequence, IntConsumer atLayer) {
    super(sequence);
    this.atLayer = atLayer;
  }

  @Override
  public KvSpans update(int layer, float[] keys, float[] values, int firstRow, int tokens) {
    atLayer.accept(layer);
    return super.update(layer, keys, values, firstRow, tokens);
  }
}
