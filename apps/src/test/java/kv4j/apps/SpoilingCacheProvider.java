package kv4j.apps;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import kv4j.cache.CacheStats;
import kv4j.cache.DelegatingSequence;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import kv4j.cache.radix.RadixKvCache;

/** A cache that is wrong on purpose: it keeps the last layer's values with their signs turned. */
public final class SpoilingCacheProvider implements KvCacheProvider {
  /** Makes a folder a plug-in that brings caches which are wrong on purpose. */
  public static Path plugin(Path folder) throws IOException {
    Path services = folder.resolve("META-INF").resolve("services");
    Files.createDirectories(services);
    Files.write(
        services.resolve(KvCacheProvider.class.getName()),
        List.of(SpoilingCacheProvider.class.getName(), ForgetfulCacheProvider.class.getName()));
    return folder;
  }

  @Override
  public String name() {
    return "spoiling";
  }

  @Override
  public String description() {
    return "wrong on purpose";
  }

  @Override
  public KvCache create(KvCacheConfig config) {
    return new Spoiling(new RadixKvCache(config));
  }

  private record Spoiling(KvCache cache) implements KvCache {
    @Override
    public KvLayout layout() {
      return cache.layout();
    }

    @Override
    public KvSequence open(KvRequest request) {
      return new DelegatingSequence(cache.open(request)) {
        @Override
        public KvSpans update(int layer, float[] keys, float[] values, int firstRow, int tokens) {
          float[] kept = values.clone();
          for (int i = 0; layer == layout().layers() - 1 && i < kept.length; i++) {
            kept[i] = -kept[i];
          }
          return super.update(layer, keys, kept, firstRow, tokens);
        }
      };
    }

    @Override
    public CacheStats stats() {
      return cache.stats();
    }

    @Override
    public void close() {
      cache.close();
    }
  }
}
