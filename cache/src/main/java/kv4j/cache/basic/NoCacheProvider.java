package kv4j.cache.basic;

import java.util.Optional;
import java.util.Set;
import kv4j.cache.ExpectedHits;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;

/** {@code none}: every new token recomputes the whole sequence. */
public final class NoCacheProvider implements KvCacheProvider {
  @Override
  public String name() {
    return "none";
  }

  @Override
  public String description() {
    return "nothing is kept: every new token recomputes the whole sequence";
  }

  @Override
  public KvCache create(KvCacheConfig config) {
    return new UnsharedCache(config, false);
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
