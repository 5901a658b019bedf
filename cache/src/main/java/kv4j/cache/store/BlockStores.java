package kv4j.cache.store;

import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import kv4j.cache.store.BlockStoreProvider.Setting;

/** The kinds of stores that can be picked by name: kv4j's own and those that plug-ins add. */
public final class BlockStores {
  private BlockStores() {}

  /**
   * All providers by name, as the given loader sees them.
   *
   * @throws IllegalArgumentException if two have the same name
   */
  public static Map<String, BlockStoreProvider> providers(ClassLoader loader) {
    Map<String, BlockStoreProvider> providers = new TreeMap<>();
    for (BlockStoreProvider provider : ServiceLoader.load(BlockStoreProvider.class, loader)) {
      BlockStoreProvider other = providers.put(provider.name(), provider);
      if (other != null) {
        throw new IllegalArgumentException(
            "two stores are named %s: %s and %s"
                .formatted(
                    provider.name(), other.getClass().getName(), provider.getClass().getName()));
      }
    }
    return providers;
  }

  /**
   * Opens the store of a given name.
   *
   * @throws IllegalArgumentException with one sentence if there is none of that name, it does not
   *     heed one of the options, or it cannot be opened
   */
  public static BlockStore open(String name, StoreOptions options, ClassLoader loader) {
    Map<String, BlockStoreProvider> providers = providers(loader);
    BlockStoreProvider provider = providers.get(name);
    if (provider == null) {
      throw new IllegalArgumentException(
          "there is no store named "
              + name
              + "; there are "
              + String.join(", ", providers.keySet()));
    }
    Set<Setting> heeded = provider.settings();
    require(options.maxBytes().isEmpty(), Setting.SIZE_LIMIT, heeded, name, "size limit");
    require(options.timeToLive().isEmpty(), Setting.TIME_TO_LIVE, heeded, name, "time-to-live");
    require(options.cluster().isEmpty(), Setting.CLUSTER, heeded, name, "cluster");
    return provider.open(options);
  }

  private static void require(
      boolean absent, Setting setting, Set<Setting> heeded, String name, String what) {
    if (!absent && !heeded.contains(setting)) {
      throw new IllegalArgumentException("the store " + name + " knows of no " + what);
    }
  }
}
