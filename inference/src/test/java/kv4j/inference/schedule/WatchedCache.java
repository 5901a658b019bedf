package kv4j.inference.schedule;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiFunction;
import kv4j.cache.CacheStats;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.TreeSnapshot;
import kv4j.cache.block.KvLayout;

/**
 * Another cache, whose sequences are wrapped.
 *
 * @param wrap puts something around the sequence of a request
 */
record WatchedCache(KvCache cache, BiFunction<KvRequest, KvSequence, KvSequence> wrap)
    implements KvCache {
  @Override
  public KvLayout layout() {
    return cache.layout();
  }

  @Override
  public KvSequence open(KvRequest request) {
    return wrap.apply(request, cache.open(request));
  }

  @Override
  public Optional<KvSequence> tryOpen(KvRequest request, boolean again) {
    return cache.tryOpen(request, again).map(sequence -> wrap.apply(request, sequence));
  }

  @Override
  public OptionalInt cachedTokens(KvRequest request) {
    return cache.cachedTokens(request);
  }

  @Override
  public boolean canHold(int tokens) {
    return cache.canHold(tokens);
  }

  @Override
  public CacheStats stats() {
    return cache.stats();
  }

  @Override
  public Optional<TreeSnapshot> snapshot() {
    return cache.snapshot();
  }

  @Override
  public void close() {
    cache.close();
  }
}
