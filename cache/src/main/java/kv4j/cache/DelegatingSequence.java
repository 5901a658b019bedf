package kv4j.cache;

import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;

/**
 * Forwards every call to another sequence; a subclass overrides what it wants to change or watch.
 */
public abstract class DelegatingSequence implements KvSequence {
  protected final KvSequence sequence;

  protected DelegatingSequence(KvSequence sequence) {
    this.sequence = sequence;
  }

  @Override
  public KvLayout layout() {
    return sequence.layout();
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
  public boolean reserve(int tokens) {
    return sequence.reserve(tokens);
  }

  @Override
  public KvSpans update(int layer, float[] keys, float[] values, int firstRow, int tokens) {
    return sequence.update(layer, keys, values, firstRow, tokens);
  }

  @Override
  public int commitPrefix(int[] tokens) {
    return sequence.commitPrefix(tokens);
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
