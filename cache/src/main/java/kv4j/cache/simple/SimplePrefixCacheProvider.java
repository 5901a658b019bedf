package kv4j.cache.simple;

import java.util.Optional;
import kv4j.cache.ExpectedHits;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.block.KvLayout;

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

  /** It keeps a prefix whole or not at all. */
  @Override
  public long leastBytes(KvLayout layout, int sharedPrefixTokens) {
    return Math.max(1, SimplePrefixCache.bytesForPrefix(layout, sharedPrefixTokens));
  }

  @Override
  public Optional<ExpectedHits> expectedHits() {
    return Optional.of(new ExplicitPrefixHits());
  }
}
