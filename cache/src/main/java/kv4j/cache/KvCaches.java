package kv4j.cache;

import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The caches that can be picked by name: kv4j's own and those that plug-ins add. */
public final class KvCaches {
  private KvCaches() {}

  /**
   * All providers by name, as the given loader sees them.
   *
   * @throws IllegalArgumentException if two have the same name
   */
  public static Map<String, KvCacheProvider> providers(ClassLoader loader) {
    Map<String, KvCacheProvider> providers = new TreeMap<>();
    for (KvCacheProvider provider : ServiceLoader.load(KvCacheProvider.class, loader)) {
      KvCacheProvider other = providers.put(provider.name(), provider);
      if (other != null) {
        throw new IllegalArgumentException(
            "two caches are named "
                + provider.name()
                + ": "
                + other.getClass().getName()
                + " and "
                + provider.getClass().getName());
      }
    }
    return providers;
  }

  /**
   * Makes the cache of a given name.
   *
   * @throws IllegalArgumentException if there is none of that name, or it refuses the configuration
   */
  public static KvCache create(String name, KvCacheConfig config, ClassLoader loader) {
    Map<String, KvCacheProvider> providers = providers(loader);
    KvCacheProvider provider = providers.get(name);
    if (provider == null) {
      throw new IllegalArgumentException(
          "there is no cache named "
              + name
              + "; there are "
              + String.join(", ", providers.keySet()));
    }
    KvCache cache;
    try {
      cache = provider.create(config);
    } catch (IllegalArgumentException e) { // its own words
      throw e;
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          "the provider of the cache %s, %s, failed: %s"
              .formatted(name, provider.getClass().getName(), e),
          e);
    }
    if (cache == null) {
      throw new IllegalArgumentException(
          "the provider of the cache "
              + name
              + ", "
              + provider.getClass().getName()
              + ", made none");
    }
    return cache;
  }
}
