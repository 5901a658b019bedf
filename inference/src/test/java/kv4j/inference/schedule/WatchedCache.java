package kv4j.inference.schedule;

import java.util.function.BiFunction;
import kv4j.cache.DelegatingCache;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;

/** Another cache, whose sequences are wrapped. */
final class WatchedCache extends DelegatingCache {
  private final BiFunction<KvRequest, KvSequence, KvSequence> wrap;

  /**
   * @param wrap puts something around the sequence of a request
   */
  WatchedCache(KvCache cache, BiFunction<KvRequest, KvSequence, KvSequence> wrap) {
    super(cache);
    this.wrap = wrap;
  }

  @Override
  protected KvSequence wrap(KvRequest request, KvSequence sequence) {
    return wrap.apply(request, sequence);
  }
}
