package kv4j.cache.basic;

import java.util.Map;
import kv4j.cache.CacheStats;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.LookupCounters;
import kv4j.cache.block.BlockSequence;
import kv4j.cache.block.KvLayout;

/** A cache that keeps nothing between requests. */
final class UnsharedCache implements KvCache {
  private final KvLayout layout;
  private final boolean keepsWithinRequest;
  private final LookupCounters counters = new LookupCounters();

  UnsharedCache(KvLayout layout, boolean keepsWithinRequest) {
    this.layout = layout;
    this.keepsWithinRequest = keepsWithinRequest;
  }

  @Override
  public KvLayout layout() {
    return layout;
  }

  @Override
  public KvSequence open(KvRequest request) {
    Lookup lookup = new Lookup(request.prompt().length, 0, Lookup.Reason.NOT_KEPT, "");
    counters.record(lookup);
    return new Sequence(layout, lookup, keepsWithinRequest);
  }

  @Override
  public CacheStats stats() {
    return counters.snapshot(0, 0, 0, Map.of());
  }

  @Override
  public void close() {}

  private static final class Sequence extends BlockSequence {
    private final Lookup lookup;
    private final boolean keeps;

    Sequence(KvLayout layout, Lookup lookup, boolean keeps) {
      super(layout);
      this.lookup = lookup;
      this.keeps = keeps;
    }

    @Override
    public Lookup lookup() {
      return lookup;
    }

    @Override
    public int begin() {
      if (!keeps) {
        reset();
      }
      return length();
    }

    @Override
    public void commit(int[] tokens) {}

    @Override
    public void close() {
      reset();
    }
  }
}
