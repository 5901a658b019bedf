package kv4j.cache.store;

import java.util.Map;
import java.util.Set;
import kv4j.cache.plugin.Providers;
import kv4j.cache.store.BlockStoreProvider.Setting;

/** The kinds of stores that can be picked by name: kv4j's own and those that plug-ins add. */
public final class BlockStores {
  private static final Providers<BlockStoreProvider> PROVIDERS =
      new Providers<>(BlockStoreProvider.class, "store", BlockStoreProvider::name);

  private BlockStores() {}

  /**
   * All providers by name, as the given loader sees them.
   *
   * @throws IllegalArgumentException if two have the same name, or one has none
   */
  public static Map<String, BlockStoreProvider> providers(ClassLoader loader) {
    return PROVIDERS.all(loader);
  }

  /**
   * Opens the store of a given name.
   *
   * @throws IllegalArgumentException with one sentence if there is none of that name, it does not
   *     heed one of the options, it cannot be opened, or the provider fails
   */
  public static BlockStore open(String name, StoreOptions options, ClassLoader loader) {
    BlockStoreProvider provider = PROVIDERS.find(name, loader);
    Set<Setting> heeded = provider.settings();
    require(options.maxBytes().isEmpty(), Setting.SIZE_LIMIT, heeded, name, "size limit");
    require(options.timeToLive().isEmpty(), Setting.TIME_TO_LIVE, heeded, name, "time-to-live");
    require(options.cluster().isEmpty(), Setting.CLUSTER, heeded, name, "cluster");
    return PROVIDERS.ask(provider, () -> provider.open(options), "opened none");
  }

  private static void require(
      boolean absent, Setting setting, Set<Setting> heeded, String name, String what) {
    if (!absent && !heeded.contains(setting)) {
      throw new IllegalArgumentException("the store " + name + " knows of no " + what);
    }
  }
}
