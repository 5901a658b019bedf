package kv4j.apps.bench;

import kv4j.cache.BlockSequence;
import kv4j.cache.Lookup;
import kv4j.cache.block.KvLayout;

/**
 * A sequence without a cache behind it, that can go back so that the same pass can be timed again.
 * It neither looks up nor commits.
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
