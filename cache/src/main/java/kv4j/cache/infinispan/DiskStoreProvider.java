package kv4j.cache.infinispan;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStoreProvider;
import kv4j.cache.store.StoreOptions;

/** {@code disk:DIR}: blocks in a folder, by Infinispan's soft-index file store. */
public final class DiskStoreProvider implements BlockStoreProvider {
  @Override
  public String name() {
    return "disk";
  }

  @Override
  public String description() {
    return "disk:DIR keeps blocks in a folder";
  }

  @Override
  public Set<Setting> settings() {
    return EnumSet.of(Setting.SIZE_LIMIT, Setting.TIME_TO_LIVE);
  }

  @Override
  public BlockStore open(StoreOptions options) {
    Requirements.requireInfinispan(name());
    Path folder = Requirements.folder(options.argument(), "disk:DIR");
    Requirements.requireFileBytes(options);
    FolderLock lock = FolderLock.take(folder);
    return new InfinispanStore(
        () -> EmbeddedCaches.local(folder, options),
        new InfinispanStore.Resources(Runnable::run, Runnable::run, lock::close));
  }
}
