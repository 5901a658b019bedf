package kv4j.cache.radix;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import kv4j.cache.ExpectedHits;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;

/** {@code radix}: the longest shared prefix is found by itself. */
public final class RadixProvider implements KvCacheProvider {
  @Override
  public String name() {
    return "radix";
  }

  @Override
  public String description() {
    return "the longest prefix shared with any earlier request is found token by token and reused";
  }

  @Override
  public KvCache create(KvCacheConfig config) {
    return new RadixKvCache(config);
  }

  @Override
  public Set<Setting> settings() {
    return EnumSet.allOf(Setting.class);
  }

  @Override
  public Optional<ExpectedHits> expectedHits() {
    return Optional.of(new LongestPrefixHits());
  }
}
