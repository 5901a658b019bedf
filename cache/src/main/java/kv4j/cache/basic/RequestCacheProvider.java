package kv4j.cache.basic;

import java.util.Optional;
import java.util.Set;
import kv4j.cache.ExpectedHits;
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

  @Override
  public Set<Setting> settings() {
    return Set.of();
  }

  @Override
  public Optional<ExpectedHits> expectedHits() {
    return Optional.of(ExpectedHits.NOTHING);
  }
}
