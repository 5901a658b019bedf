package kv4j.cache.simple;

import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;

/** {@code simple}: prefixes that the caller names are kept in a {@link SimpleKvCache}. */
public final class SimplePrefixCacheProvider implements KvCacheProvider {
  @Override
  public String name() {
    return "simple";
  }

  @Override
  public String description() {
    return "the prefix that requests say they share is kept, one entry per layer";
  }

  @Override
  public KvCache create(KvCacheConfig config) {
    return new SimplePrefixCache(config);
  }
}
