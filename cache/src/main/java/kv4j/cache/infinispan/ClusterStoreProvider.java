package kv4j.cache.infinispan;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStoreProvider;
import kv4j.cache.store.ClusterOptions;
import kv4j.cache.store.StoreOptions;
import org.jgroups.JChannel;
import org.jgroups.conf.ProtocolStackConfigurator;

/**
 * {@code cluster:NAME}: blocks shared by the processes of a cluster, by Infinispan over JGroups;
 * {@code cluster:NAME,disk:DIR} keeps this process's part of them in a folder.
 */
public final class ClusterStoreProvider implements BlockStoreProvider {
  private static final String DISK = ",disk:";

  /** Reads that may wait for room in the network's buffers at a time. */
  private static final int READERS = 4;

  private static final int QUEUE = 4096;

  @Override
  public String name() {
    return "cluster";
  }

  @Override
  public String description() {
    return "cluster:NAME shares blocks among processes; cluster:NAME,disk:DIR keeps them as well";
  }

  @Override
  public BlockStore open(StoreOptions options) {
    Requirements.requireInfinispan(name());
    String argument = options.argument();
    int comma = argument.indexOf(DISK);
    String cluster = comma < 0 ? argument : argument.substring(0, comma);
    if (!cluster.matches("[\\w.-]+")) {
      throw new IllegalArgumentException(
          "a cluster needs a name of letters, digits, dots and hyphens, not \"" + cluster + "\"");
    }
    ProtocolStackConfigurator stack =
        ClusterStack.of(options.cluster().orElse(ClusterOptions.LOOPBACK));
    if (comma < 0) {
      return open(stack, cluster, Optional.empty(), options, () -> {});
    }
    Path folder =
        Requirements.folder(argument.substring(comma + DISK.length()), "cluster:NAME,disk:DIR");
    Requirements.requireFileBytes(options);
    FolderLock lock = FolderLock.take(folder);
    return open(stack, cluster, Optional.of(folder), options, lock::close);
  }

  private static BlockStore open(
      ProtocolStackConfigurator stack,
      String cluster,
      Optional<Path> folder,
      StoreOptions options,
      Runnable release) {
    // JGroups may keep whoever sends waiting for a peer.
    ThreadPoolExecutor reads = threads(READERS, "kv4j-store-read");
    ThreadPoolExecutor writes = threads(1, "kv4j-store-write");
    return new InfinispanStore(
        () -> EmbeddedCaches.distributed(new JChannel(stack), cluster, folder, options),
        new InfinispanStore.Resources(
            reads,
            writes,
            () -> {
              reads.shutdown(); // what is queued fails at once, and whoever waits is told
              writes.shutdown();
              release.run();
            }));
  }

  private static ThreadPoolExecutor threads(int count, String name) {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            count,
            count,
            30,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(QUEUE),
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }
}
