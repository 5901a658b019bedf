package kv4j.apps.bench;

import kv4j.cache.BlockSequence;
import kv4j.cache.Lookup;
import kv4j.cache.block.KvLayout;

/**
 * A sequence that no cache has to do with and that can go back, so that the same pass can be timed
 * again: no lookup, no commit.
 */
public final class RewindableSequence extends BlockSequence {
  /** An empty one. */
  public RewindableSequence(KvLayout layout) {
    super(layout);
  }

  /** Forgets all tokens from position {@code length} on. */
  public void goBackTo(int length) {
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
