package kv4j.apps.measure;

import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.LongStream;
import kv4j.cache.DelegatingCache;
import kv4j.cache.DelegatingSequence;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvSpans;

/**
 * Counts, at the hook of any cache, which layers were answered from it. Each layer is counted once
 * per request, at its first update, and is a hit if the cache answered with more tokens than the
 * new ones.
 */
final class MeasuringKvCache extends DelegatingCache {
  private final AtomicLongArray lookups;
  private final AtomicLongArray hits;

  MeasuringKvCache(KvCache cache) {
    super(cache);
    lookups = new AtomicLongArray(cache.layout().layers());
    hits = new AtomicLongArray(cache.layout().layers());
  }

  /** The cache that is measured. */
  KvCache measured() {
    return cache;
  }

  /** Per layer, requests that asked it. */
  List<Long> layerLookups() {
    return toList(lookups);
  }

  /** Per layer, requests that it answered from the cache. */
  List<Long> layerHits() {
    return toList(hits);
  }

  private static List<Long> toList(AtomicLongArray counts) {
    return LongStream.range(0, counts.length()).map(i -> counts.get((int) i)).boxed().toList();
  }

  @Override
  protected KvSequence wrap(KvRequest request, KvSequence sequence) {
    return new Sequence(sequence);
  }

  private final class Sequence extends DelegatingSequence {
    private int layersCounted;

    Sequence(KvSequence sequence) {
      super(sequence);
    }

    @Override
    public KvSpans update(int layer, float[] keys, float[] values, int firstRow, int tokens) {
      KvSpans spans = sequence.update(layer, keys, values, firstRow, tokens);
      if (layer == layersCounted) {
        layersCounted++;
        lookups.incrementAndGet(layer);
        if (spans.length() > tokens) {
          hits.incrementAndGet(layer);
        }
      }
      return spans;
    }
  }
}
