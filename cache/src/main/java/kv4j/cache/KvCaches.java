package kv4j.cache;

import java.util.Map;
import kv4j.cache.plugin.Providers;

/** The caches that can be picked by name: kv4j's own and those that plug-ins add. */
public final class KvCaches {
  private static final Providers<KvCacheProvider> PROVIDERS =
      new Providers<>(KvCacheProvider.class, "cache", KvCacheProvider::name);

  private KvCaches() {}

  /**
   * All providers by name, as the given loader sees them.
   *
   * @throws IllegalArgumentException if two have the same name, or one has none
   */
  public static Map<String, KvCacheProvider> providers(ClassLoader loader) {
    return PROVIDERS.all(loader);
  }

  /**
   * Makes the cache of a given name.
   *
   * @throws IllegalArgumentException if there is none of that name, or it refuses the configuration
   *     or fails
   */
  public static KvCache create(String name, KvCacheConfig config, ClassLoader loader) {
    return create(PROVIDERS.find(name, loader), config);
  }

  /**
   * Makes a cache.
   *
   * @throws IllegalArgumentException if the provider refuses the configuration or fails
   */
  public static KvCache create(KvCacheProvider provider, KvCacheConfig config) {
    return PROVIDERS.ask(provider, () -> provider.create(config), "made none");
  }
}
