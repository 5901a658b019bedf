package kv4j.cache;

import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.function.Supplier;

/** The caches that can be picked by name: kv4j's own and those that plug-ins add. */
public final class KvCaches {
  private KvCaches() {}

  /**
   * All providers by name, as the given loader sees them.
   *
   * @throws IllegalArgumentException if two have the same name, or one has none
   */
  public static Map<String, KvCacheProvider> providers(ClassLoader loader) {
    Map<String, KvCacheProvider> providers = new TreeMap<>();
    for (KvCacheProvider provider : ServiceLoader.load(KvCacheProvider.class, loader)) {
      String name = ask(provider, provider::name, "has no name");
      KvCacheProvider other = providers.put(name, provider);
      if (other != null) {
        throw new IllegalArgumentException(
            "two caches are named "
                + name
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
   *     or fails
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
    return create(provider, config);
  }

  /**
   * Makes a cache.
   *
   * @throws IllegalArgumentException if the provider refuses the configuration or fails
   */
  public static KvCache create(KvCacheProvider provider, KvCacheConfig config) {
    return ask(provider, () -> provider.create(config), "made none");
  }

  /** What a provider answers. It may be anybody's, so that people are told whose failure it is. */
  private static <T> T ask(KvCacheProvider provider, Supplier<T> question, String none) {
    String who = "the cache provider " + provider.getClass().getName() + " ";
    T answer;
    try {
      answer = question.get();
    } catch (RuntimeException | LinkageError e) {
      if (e instanceof IllegalArgumentException own && own.getMessage() != null) {
        throw own; // a refusal in its own words
      }
      throw new IllegalArgumentException(who + "failed: " + e, e);
    }
    if (answer == null) {
      throw new IllegalArgumentException(who + none);
    }
    return answer;
  }
}
