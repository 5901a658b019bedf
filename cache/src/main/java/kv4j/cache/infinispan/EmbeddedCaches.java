package kv4j.cache.infinispan;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import kv4j.cache.store.ClusterOptions;
import kv4j.cache.store.StoreOptions;
import org.infinispan.AdvancedCache;
import org.infinispan.commons.dataconversion.MediaType;
import org.infinispan.configuration.cache.CacheMode;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.cache.StorageType;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.configuration.global.ShutdownHookBehavior;
import org.infinispan.configuration.internal.PrivateCacheConfigurationBuilder;
import org.infinispan.configuration.parsing.ConfigurationBuilderHolder;
import org.infinispan.eviction.EvictionStrategy;
import org.infinispan.factories.threads.EnhancedQueueExecutorFactory;
import org.infinispan.manager.DefaultCacheManager;
import org.infinispan.manager.EmbeddedCacheManager;
import org.infinispan.persistence.spi.PersistenceException;
import org.infinispan.remoting.transport.jgroups.JGroupsTransport;
import org.jgroups.JChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Configures and starts Infinispan, with no more of it than blocks need. */
final class EmbeddedCaches {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedCaches.class);

  /** Name of the cache, and of its folder. */
  private static final String BLOCKS = "blocks";

  /** Of a cache with files below it: just what is on its way there or was asked for together. */
  private static final long MEMORY_OVER_FILES = 16L << 20;

  private static final int LARGEST_FILE = 16 << 20;
  private static final int SMALLEST_FILE = 1 << 20;

  /** Files that the byte limit is divided into. */
  private static final int FILES = 64;

  /** Each has an index file. */
  private static final int SEGMENTS = 16;

  /** Each is one process's or another's: enough to be spread evenly over some ten. */
  private static final int CLUSTER_SEGMENTS = 128;

  /** More read no faster, and each has a buffer for the largest value that it has read. */
  private static final int FILE_THREADS = 8;

  /** How long a read waits for another process. */
  private static final long PEER_SECONDS = 4;

  /** How long a process that joins waits for what the others say. */
  private static final long JOIN_SECONDS = 20;

  private EmbeddedCaches() {}

  /** A cache that keeps its values in a folder. */
  static AdvancedCache<byte[], byte[]> local(Path folder, StoreOptions options) throws IOException {
    GlobalConfigurationBuilder global = global(new GlobalConfigurationBuilder());
    ConfigurationBuilder cache = cache(options);
    cache.clustering().hash().numSegments(SEGMENTS);
    below(cache, folder, options);
    return startOnFiles(global, cache, folder);
  }

  /**
   * A cache whose values are spread over the processes of a cluster.
   *
   * @param disk below this process's part of it
   */
  static AdvancedCache<byte[], byte[]> distributed(
      JChannel channel, String cluster, Optional<Path> disk, StoreOptions options)
      throws IOException {
    GlobalConfigurationBuilder global =
        global(GlobalConfigurationBuilder.defaultClusteredBuilder());
    global
        .transport()
        .transport(new JGroupsTransport(channel))
        .clusterName(cluster)
        .nodeName(FolderName.hostName() + "-" + ProcessHandle.current().pid())
        .distributedSyncTimeout(JOIN_SECONDS, TimeUnit.SECONDS);
    global.serialization().addContextInitializer(new LastingShares.Marshalling());
    ConfigurationBuilder cache = cache(options);
    cache
        .addModule(PrivateCacheConfigurationBuilder.class)
        .consistentHashFactory(LastingShares.INSTANCE);
    cache
        .clustering()
        // Nothing waits for it but a future, and asynchronous puts are lost while owners change.
        .cacheMode(CacheMode.DIST_SYNC)
        .remoteTimeout(PEER_SECONDS, TimeUnit.SECONDS)
        .hash()
        .numOwners(options.cluster().orElse(ClusterOptions.LOOPBACK).owners())
        .numSegments(CLUSTER_SEGMENTS);
    cache.clustering().stateTransfer().awaitInitialTransfer(false);
    cache.locking().lockAcquisitionTimeout(PEER_SECONDS / 2, TimeUnit.SECONDS);
    if (disk.isPresent()) {
      global.transport().machineId(FolderName.of(disk.get()).toString());
      below(cache, disk.get(), options);
      return startOnFiles(global, cache, disk.get());
    }
    memory(cache, options.maxBytes().orElse(Runtime.getRuntime().maxMemory() / 8));
    return start(startManager(global), cache);
  }

  private static GlobalConfigurationBuilder global(GlobalConfigurationBuilder global) {
    global.jmx().disable();
    global.metrics().gauges(false).histograms(false);
    global.shutdown().hookBehavior(ShutdownHookBehavior.DONT_REGISTER);
    global
        .blockingThreadPool()
        .threadPoolFactory(EnhancedQueueExecutorFactory.create(FILE_THREADS, Integer.MAX_VALUE));
    return global;
  }

  private static ConfigurationBuilder cache(StoreOptions options) {
    ConfigurationBuilder cache = new ConfigurationBuilder();
    cache.encoding().mediaType(MediaType.APPLICATION_OCTET_STREAM_TYPE);
    cache.statistics().disable();
    options
        .timeToLive()
        .ifPresent(time -> cache.expiration().lifespan(time.toMillis(), TimeUnit.MILLISECONDS));
    return cache;
  }

  private static void memory(ConfigurationBuilder cache, long bytes) {
    cache
        .memory()
        .storage(StorageType.HEAP)
        .maxSize(Long.toString(bytes))
        .whenFull(EvictionStrategy.REMOVE);
  }

  private static void below(ConfigurationBuilder cache, Path folder, StoreOptions options) {
    memory(cache, MEMORY_OVER_FILES);
    long maxBytes = options.maxBytes().orElse(Long.MAX_VALUE);
    cache
        .persistence()
        .passivation(false)
        .addStore(FileStoreConfiguration.Builder.class)
        .dataLocation(folder.toString())
        .indexLocation(folder.toString())
        .maxFileSize((int) Math.max(SMALLEST_FILE, Math.min(LARGEST_FILE, maxBytes / FILES)))
        .compactionThreshold(BoundedFileStore.COMPACTED_FROM)
        .addProperty(FileStoreConfiguration.MAX_BYTES, Long.toString(maxBytes));
  }

  /** Starts a cache on a folder; if its files cannot be read, they are moved aside. */
  private static AdvancedCache<byte[], byte[]> startOnFiles(
      GlobalConfigurationBuilder global, ConfigurationBuilder cache, Path folder)
      throws IOException {
    Path blocks = folder.resolve(BLOCKS);
    // An index is made anew faster than it is checked.
    deleteAll(blocks.resolve("index"));
    EmbeddedCacheManager manager = startManager(global);
    try {
      return startCache(manager, cache);
    } catch (RuntimeException e) {
      if (!isUnreadable(e)) {
        manager.stop();
        throw e;
      }
      Path aside = folder.resolve("damaged");
      LOG.warn("{} cannot be read and is moved to {}; the store begins empty", blocks, aside, e);
      deleteAll(aside);
      Files.move(blocks, aside, StandardCopyOption.ATOMIC_MOVE);
      return start(manager, cache);
    }
  }

  /** Whether what is in the files is to blame, and not the disk or a peer. */
  private static boolean isUnreadable(Throwable error) {
    boolean files = false;
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      files |= cause instanceof PersistenceException;
      if (cause instanceof IOException) {
        return false;
      }
    }
    return files;
  }

  private static AdvancedCache<byte[], byte[]> start(
      EmbeddedCacheManager manager, ConfigurationBuilder cache) {
    try {
      return startCache(manager, cache);
    } catch (RuntimeException e) {
      manager.stop();
      throw e;
    }
  }

  private static EmbeddedCacheManager startManager(GlobalConfigurationBuilder global) {
    // A manager of a built configuration would make a transport anew, on a stack of its own.
    return new DefaultCacheManager(
        new ConfigurationBuilderHolder(EmbeddedCaches.class.getClassLoader(), global), true);
  }

  private static AdvancedCache<byte[], byte[]> startCache(
      EmbeddedCacheManager manager, ConfigurationBuilder cache) {
    if (manager.getCacheConfiguration(BLOCKS) == null) {
      manager.defineConfiguration(BLOCKS, cache.build());
    }
    return manager.<byte[], byte[]>getCache(BLOCKS).getAdvancedCache();
  }

  private static void deleteAll(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }
}
