package kv4j.inference.measure;

import kv4j.cache.CacheStats;
import kv4j.cache.DelegatingSequence;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;

/** A cache that is wrong on purpose: it keeps the last layer's keys with their signs turned. */
public final class SpoilingCacheProvider implements KvCacheProvider {
  @Override
  public String name() {
    return "spoiling";
  }

  @Override
  public String description() {
    return "wrong on purpose";
  }

  @Override
  public KvCache create(KvCacheConfig config) {
    return new Spoiling(new RequestCacheProvider().create(config));
  }

  private record Spoiling(KvCache cache) implements KvCache {
    @Override
    public KvLayout layout() {
      return cache.layout();
    }

    @Override
    public KvSequence open(KvRequest request) {
      return new SpoilingSequence(cache.open(request), cache.layout().layers() - 1);
    }

    @Override
    public CacheStats stats() {
      return cache.stats();
    }

    @Override
    public void close() {
      cache.close();
    }
  }

  private static final class SpoilingSequence extends DelegatingSequence {
    private final int spoiltLayer;

    SpoilingSequence(KvSequence sequence, int spoiltLayer) {
      super(sequence);
      this.spoiltLayer = spoiltLayer;
    }

    @Override
    public KvSpans update(int layer, float[] keys, float[] values, int firstRow, int tokens) {
      float[] kept = keys.clone();
      for (int i = 0; layer == spoiltLayer && i < kept.length; i++) {
        kept[i] = -kept[i];
      }
      return super.update(layer, kept, values, firstRow, tokens);
    }
  }
}
