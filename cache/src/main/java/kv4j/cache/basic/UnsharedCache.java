package kv4j.cache.basic;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import kv4j.cache.BlockSequence;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.LookupCounters;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;

/**
 * A cache that keeps nothing between requests. Blocks of a finished request are used again by the
 * next one, because allocating and clearing new memory for each would cost more than the hook
 * itself.
 */
final class UnsharedCache implements KvCache {
  private final KvCacheConfig config;
  private final KvLayout layout;
  private final boolean keepsWithinRequest;
  private final AtomicLong events = new AtomicLong();
  private final LookupCounters counters = new LookupCounters();
  private final Queue<KvBlock> unused = new ConcurrentLinkedQueue<>();

  private volatile boolean closed;

  UnsharedCache(KvCacheConfig config, boolean keepsWithinRequest) {
    this.config = config;
    layout = config.layout();
    this.keepsWithinRequest = keepsWithinRequest;
  }

  @Override
  public KvLayout layout() {
    return layout;
  }

  @Override
  public KvSequence open(KvRequest request) {
    if (closed) {
      throw new IllegalStateException("the cache is closed");
    }
    Lookup lookup = new Lookup(request.prompt().length, 0, Lookup.Reason.NOT_KEPT, "");
    counters.record(lookup);
    config.tell(
        new CacheEvent.Found(
            events.incrementAndGet(), request.namespace(), 0, lookup, request.label()));
    return new Sequence(lookup);
  }

  @Override
  public CacheStats stats() {
    return new CacheStats(counters.snapshot(), CacheStats.Storage.NONE);
  }

  @Override
  public void close() {
    closed = true;
    unused.clear();
  }

  private final class Sequence extends BlockSequence {
    private final Lookup lookup;

    Sequence(Lookup lookup) {
      super(UnsharedCache.this.layout);
      this.lookup = lookup;
    }

    @Override
    protected KvBlock newBlock() {
      KvBlock block = unused.poll();
      return block == null ? super.newBlock() : block;
    }

    private void giveBack() {
      if (!closed) {
        unused.addAll(blocks());
      }
      reset();
    }

    @Override
    public Lookup lookup() {
      return lookup;
    }

    @Override
    public int begin() {
      if (!keepsWithinRequest) {
        giveBack();
      }
      return length();
    }

    @Override
    public void commit(int[] tokens) {}

    @Override
    public void close() {
      giveBack();
    }
  }
}
