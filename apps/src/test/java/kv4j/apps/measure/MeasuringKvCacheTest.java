package kv4j.apps.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kv4j.cache.BlockSequence;
import kv4j.cache.CacheStats;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import org.junit.jupiter.api.Test;

class MeasuringKvCacheTest {
  private static final KvLayout LAYOUT = new KvLayout(3, 1, 2, 4, KvDtype.F32);

  /**
   * Claims 4 cached tokens from the second request on, but hands them to attention in the first two
   * layers only.
   */
  private static final class Forgetful implements KvCache {
    private int opened;
    private boolean closed;
    private final List<Integer> committed = new ArrayList<>();

    @Override
    public KvLayout layout() {
      return LAYOUT;
    }

    @Override
    public KvSequence open(KvRequest request) {
      return new Sequence(opened++ == 0 ? 0 : 4);
    }

    @Override
    public CacheStats stats() {
      return new CacheStats(
          new CacheStats.Lookups(opened, 0, 0, 0, 0, Map.of(), 0, 0),
          new CacheStats.Storage(0, 77, 0, 0, 0, 0, Map.of(), 0, 0));
    }

    @Override
    public void close() {
      closed = true;
    }

    private final class Sequence extends BlockSequence {
      private final int cached;

      Sequence(int cached) {
        super(LAYOUT);
        this.cached = cached;
        if (cached > 0) {
          startOn(List.of(new KvBlock(LAYOUT)), cached);
        }
      }

      @Override
      public Lookup lookup() {
        return new Lookup(6, cached, Lookup.Reason.COLD, "");
      }

      @Override
      public KvSpans update(int layer, float[] keys, float[] values, int firstRow, int tokens) {
        KvSpans spans = super.update(layer, keys, values, firstRow, tokens);
        return layer < 2 ? spans : KvSpans.of(List.of(new KvBlock(LAYOUT)), tokens);
      }

      @Override
      public void commit(int[] tokens) {
        committed.add(tokens.length);
      }

      @Override
      public void close() {
        reset();
      }
    }
  }

  private static void pass(KvSequence sequence, int tokens) {
    float[] rows = new float[tokens * LAYOUT.width()];
    for (int layer = 0; layer < LAYOUT.layers(); layer++) {
      sequence.update(layer, rows, rows, 0, tokens);
    }
  }

  @Test
  void countsEachLayerOncePerRequestByWhatItWasGiven() {
    MeasuringKvCache measuring = new MeasuringKvCache(new Forgetful());
    for (int request = 0; request < 3; request++) {
      try (KvSequence sequence = measuring.open(KvRequest.of(1, 2, 3, 4, 5, 6))) {
        pass(sequence, 2);
        pass(sequence, 1);
        pass(sequence, 1);
      }
    }
    assertEquals(List.of(3L, 3L, 3L), measuring.layerLookups());
    assertEquals(List.of(2L, 2L, 0L), measuring.layerHits());
  }

  @Test
  void hidesNothingOfTheCacheItMeasures() {
    Forgetful cache = new Forgetful();
    MeasuringKvCache measuring = new MeasuringKvCache(cache);
    assertSame(LAYOUT, measuring.layout());
    measuring.open(KvRequest.of(1)).close();
    try (KvSequence sequence = measuring.open(KvRequest.of(1, 2, 3, 4, 5, 6))) {
      assertEquals(4, sequence.lookup().cachedTokens());
      assertEquals(4, sequence.begin());
      pass(sequence, 2);
      assertEquals(6, sequence.length());
      sequence.commit(new int[6]);
    }
    assertEquals(List.of(6), cache.committed);
    assertEquals(77, measuring.stats().storage().bytes());
    measuring.close();
    assertTrue(cache.closed);
  }
}
