package kv4j.cache.basic;

import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;

/** {@code request}: keys and values are kept within one request. */
public final class RequestCacheProvider implements KvCacheProvider {
  @Override
  public String name() {
    return "request";
  }

  @Override
  public String description() {
    return "keys and values are kept within one request and dropped at its end";
  }

  @Override
  public KvCache create(KvCacheConfig config) {
    return new UnsharedCache(config, true);
  }
}
