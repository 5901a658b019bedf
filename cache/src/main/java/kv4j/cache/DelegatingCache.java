package kv4j.cache;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import kv4j.cache.block.KvLayout;

/** Forwards every call to another cache, and has a subclass wrap the sequences it gives. */
public abstract class DelegatingCache implements KvCache {
  protected final KvCache cache;

  /** Takes over the other cache. */
  protected DelegatingCache(KvCache cache) {
    this.cache = cache;
  }

  /** Puts something around the sequence of a request, or nothing. */
  protected abstract KvSequence wrap(KvRequest request, KvSequence sequence);

  @Override
  public KvLayout layout() {
    return cache.layout();
  }

  @Override
  public KvSequence open(KvRequest request) {
    return wrap(request, cache.open(request));
  }

  @Override
  public Optional<KvSequence> tryOpen(KvRequest request, boolean again) {
    return cache.tryOpen(request, again).map(sequence -> wrap(request, sequence));
  }

  @Override
  public CompletableFuture<Prefetched> prefetch(KvRequest request) {
    return cache.prefetch(request);
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
