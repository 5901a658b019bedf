package kv4j.inference;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import kv4j.cache.BlockSequence;
import kv4j.cache.CacheStats;
import kv4j.cache.DelegatingSequence;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;

/** Caches that are wrong on purpose: what the checks of the others must notice. */
final class WrongCache implements KvCache {
  private final KvCache cache;
  private final UnaryOperator<KvSequence> spoil;

  private WrongCache(KvCacheConfig config, UnaryOperator<KvSequence> spoil) {
    this.cache = new RequestCacheProvider().create(config);
    this.spoil = spoil;
  }

  /** Gives each token of one layer the key of the token before it. */
  static KvCache shiftingKeys(KvCacheConfig config, int wrongLayer) {
    return new WrongCache(
        config,
        right ->
            new DelegatingSequence(right) {
              @Override
              public KvSpans update(
                  int layer, float[] keys, float[] values, int firstRow, int tokens) {
                float[] shifted = keys.clone();
                int width = config.layout().width();
                int at = firstRow * width;
                if (layer == wrongLayer) {
                  System.arraycopy(keys, at, shifted, at + width, (tokens - 1) * width);
                }
                return right.update(layer, shifted, values, firstRow, tokens);
              }
            });
  }

  /** Forgets the oldest token once there are others; takes blocks of 1 token. */
  static KvCache droppingTheOldestToken(KvCacheConfig config) {
    return new WrongCache(
        config,
        right ->
            new DelegatingSequence(right) {
              @Override
              public KvSpans update(
                  int layer, float[] keys, float[] values, int firstRow, int tokens) {
                boolean first = right.length() == 0;
                KvSpans all = right.update(layer, keys, values, firstRow, tokens);
                List<KvBlock> kept = new ArrayList<>();
                for (int span = first ? 0 : 1; span < all.count(); span++) {
                  kept.add(all.block(span));
                }
                return KvSpans.of(kept, kept.size());
              }
            });
  }

  /** Takes whatever was computed first for the prefix of every later prompt. */
  static KvCache servingAnotherPrompt(KvCacheConfig config) {
    List<KvBlock> kept = new ArrayList<>();
    return new WrongCache(config, right -> new FirstPrompt(config.layout(), right.lookup(), kept));
  }

  /** Throws when a certain layer comes. */
  static KvCache failing(KvCacheConfig config, int failingLayer, RuntimeException failure) {
    return new WrongCache(
        config,
        right ->
            new DelegatingSequence(right) {
              @Override
              public KvSpans update(
                  int layer, float[] keys, float[] values, int firstRow, int tokens) {
                if (layer == failingLayer) {
                  throw failure;
                }
                return right.update(layer, keys, values, firstRow, tokens);
              }
            });
  }

  @Override
  public KvLayout layout() {
    return cache.layout();
  }

  @Override
  public KvSequence open(KvRequest request) {
    return spoil.apply(cache.open(request));
  }

  @Override
  public CacheStats stats() {
    return cache.stats();
  }

  @Override
  public void close() {
    cache.close();
  }

  private static final class FirstPrompt extends BlockSequence {
    private final List<KvBlock> kept;
    private final Lookup lookup;

    FirstPrompt(KvLayout layout, Lookup cold, List<KvBlock> kept) {
      super(layout);
      this.kept = kept;
      int most = (cold.promptTokens() - 1) / layout.blockTokens();
      List<KvBlock> served = List.copyOf(kept.subList(0, Math.min(kept.size(), most)));
      int cached = served.size() * layout.blockTokens();
      lookup = new Lookup(cold.promptTokens(), cached, Lookup.Reason.FULL, "");
      startOn(served, cached);
    }

    @Override
    public Lookup lookup() {
      return lookup;
    }

    @Override
    public void commit(int[] tokens) {
      if (kept.isEmpty()) {
        kept.addAll(blocks().subList(0, length() / layout.blockTokens()));
      }
    }

    @Override
    public void close() {}
  }
}
