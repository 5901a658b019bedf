package kv4j.cache.infinispan;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Stream;
import kv4j.cache.block.BlockKey;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.DamagedValueException;
import kv4j.cache.store.StoreContents;
import org.infinispan.AdvancedCache;
import org.infinispan.commons.IllegalLifecycleStateException;
import org.infinispan.commons.TimeoutException;
import org.infinispan.commons.marshall.WrappedByteArray;
import org.infinispan.commons.util.CloseableIterator;
import org.infinispan.container.DataContainer;
import org.infinispan.context.Flag;
import org.infinispan.distribution.DistributionManager;
import org.infinispan.factories.ComponentRegistry;
import org.infinispan.persistence.manager.PersistenceManager;
import org.infinispan.remoting.transport.jgroups.SuspectException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Blocks in one cache of an embedded Infinispan, which this starts in the background and stops. */
final class InfinispanStore implements BlockStore {
  private static final Logger LOG = LoggerFactory.getLogger(InfinispanStore.class);

  /** As much as a prompt of a thousand tokens of a small model. */
  private static final long WARM_UP_BYTES = 32L << 20;

  private final CompletableFuture<AdvancedCache<byte[], byte[]>> opening;
  private final Resources resources;

  /**
   * What the store needs besides its cache.
   *
   * @param reads where reads are begun
   * @param writes where writes are begun
   * @param release gives back what the store holds, once its cache is stopped
   */
  record Resources(Executor reads, Executor writes, Runnable release) {}

  /**
   * @param start starts Infinispan, on a thread of its own
   */
  InfinispanStore(Callable<AdvancedCache<byte[], byte[]>> start, Resources resources) {
    this.resources = resources;
    opening = new CompletableFuture<>();
    Thread thread = new Thread(() -> open(start), "kv4j-store-open");
    thread.setDaemon(true);
    thread.start();
  }

  private void open(Callable<AdvancedCache<byte[], byte[]>> start) {
    try {
      AdvancedCache<byte[], byte[]> cache = start.call();
      try {
        warmUp(cache);
      } catch (RuntimeException | Error e) {
        cache.getCacheManager().stop();
        throw e;
      }
      opening.complete(cache);
    } catch (Throwable e) { // whoever waits has to be told, whatever it is
      opening.completeExceptionally(e);
    }
  }

  /** Reads what was used last, so that the first request finds code, threads and buffers ready. */
  private static void warmUp(AdvancedCache<byte[], byte[]> cache) {
    AdvancedCache<byte[], byte[]> here = cache.withFlags(Flag.CACHE_MODE_LOCAL);
    List<CompletableFuture<byte[]>> reads = new ArrayList<>();
    reads.add(here.getAsync(new byte[BlockKey.BYTES]));
    for (BoundedFileStore<?, ?> files : fileStores(cache)) {
      List<Object> keys = files.ledger().keys();
      long count = WARM_UP_BYTES * keys.size() / Math.max(1, files.ledger().bytes());
      keys.subList((int) Math.max(0, keys.size() - count), keys.size())
          .forEach(key -> reads.add(here.getAsync(bytes(key))));
    }
    reads.forEach(read -> read.exceptionally(damaged -> null).join());
  }

  @Override
  public CompletableFuture<Void> ready() {
    return opening.thenApply(cache -> null);
  }

  @Override
  public List<CompletableFuture<byte[]>> get(List<BlockKey> chain) {
    return chain.stream()
        .map(
            key ->
                call(
                    resources.reads(),
                    cache ->
                        cache
                            .getAsync(key.toBytes())
                            // a damaged record may be read as something else
                            .thenApply(byte[].class::cast)
                            .exceptionally(InfinispanStore::explain)))
        .toList();
  }

  /** A value that fails to be read is damaged, unless it is the store or a peer that fails. */
  private static byte[] explain(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof IllegalLifecycleStateException
          || cause instanceof TimeoutException
          || cause instanceof SuspectException
          || cause instanceof VirtualMachineError) {
        throw error instanceof CompletionException known ? known : new CompletionException(error);
      }
    }
    throw new DamagedValueException("a stored value cannot be read", error);
  }

  @Override
  public CompletableFuture<Void> put(BlockKey key, byte[] value) {
    return call(resources.writes(), cache -> withoutReading(cache).putAsync(key.toBytes(), value))
        .thenApply(before -> null);
  }

  @Override
  public CompletableFuture<Void> remove(BlockKey key) {
    return call(resources.writes(), cache -> withoutReading(cache).removeAsync(key.toBytes()))
        .thenApply(before -> null);
  }

  /** Writes that do not look at what was there before. */
  private static AdvancedCache<byte[], byte[]> withoutReading(AdvancedCache<byte[], byte[]> cache) {
    return cache.withFlags(Flag.IGNORE_RETURN_VALUES, Flag.SKIP_CACHE_LOAD);
  }

  private <T> CompletableFuture<T> call(
      Executor executor, Function<AdvancedCache<byte[], byte[]>, CompletableFuture<T>> operation) {
    try {
      return CompletableFuture.supplyAsync(() -> operation.apply(cache()), executor)
          .thenCompose(result -> result);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private AdvancedCache<byte[], byte[]> cache() {
    AdvancedCache<byte[], byte[]> cache = opening.getNow(null);
    if (cache == null) {
      throw new IllegalStateException("the store is still being opened");
    }
    return cache;
  }

  @Override
  public void forEach(BiConsumer<BlockKey, byte[]> visitor) {
    for (byte[] bytes : keys(cache())) {
      BlockKey key = BlockKey.of(bytes);
      try {
        byte[] value = get(List.of(key)).get(0).join();
        if (value != null) {
          visitor.accept(key, value);
        }
      } catch (CompletionException e) {
        LOG.warn("passing over {}, which cannot be read: {}", key, e.getCause().toString());
      }
    }
  }

  private static List<byte[]> keys(AdvancedCache<byte[], byte[]> cache) {
    List<byte[]> keys = new ArrayList<>();
    if (cache.getRpcManager() == null) {
      fileStores(cache)
          .forEach(files -> files.ledger().keys().forEach(key -> keys.add(bytes(key))));
    } else {
      try (CloseableIterator<byte[]> all = cache.keySet().iterator()) {
        all.forEachRemaining(keys::add);
      }
    }
    return keys;
  }

  /** A key's bytes; Infinispan keeps it in a wrapper. */
  private static byte[] bytes(Object key) {
    return ((WrappedByteArray) key).getBytes();
  }

  @Override
  public StoreContents contents() {
    AdvancedCache<byte[], byte[]> cache = cache();
    List<String> nodes = nodes(cache);
    for (BoundedFileStore<?, ?> files : fileStores(cache)) {
      return new StoreContents(files.ledger().size(), files.ledger().bytes(), nodes);
    }
    DataContainer<byte[], byte[]> memory = cache.getDataContainer();
    return new StoreContents(memory.sizeIncludingExpired(), memory.evictionSize(), nodes);
  }

  /**
   * Who shares the values, this process first: not who is about to, as the manager's members are.
   */
  private static List<String> nodes(AdvancedCache<byte[], byte[]> cache) {
    DistributionManager distribution = cache.getDistributionManager();
    if (distribution == null) {
      return List.of();
    }
    String own = cache.getCacheManager().getAddress().toString();
    Stream<String> others =
        distribution.getCacheTopology().getMembersSet().stream()
            .map(Object::toString)
            .filter(node -> !node.equals(own));
    return Stream.concat(Stream.of(own), others).toList();
  }

  @SuppressWarnings("rawtypes") // a class literal knows no parameters
  private static Set<BoundedFileStore> fileStores(AdvancedCache<byte[], byte[]> cache) {
    return ComponentRegistry.componentOf(cache, PersistenceManager.class)
        .getStores(BoundedFileStore.class);
  }

  @Override
  public void close() {
    opening
        .handle(
            (cache, error) -> {
              if (cache != null) {
                cache.getCacheManager().stop();
              }
              resources.release().run();
              return null;
            })
        .join();
  }
}
