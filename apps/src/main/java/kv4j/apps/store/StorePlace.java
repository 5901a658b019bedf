package kv4j.apps.store;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import kv4j.cache.block.BlockKey;
import kv4j.cache.store.BlockStore;

/** A store that is open for somebody to look into and to change, with no cache in front. */
public final class StorePlace implements BlockPlace {
  private static final int MOST_AT_ONCE = 64;

  private final String name;
  private final BlockStore store;
  private final Queue<CompletableFuture<Void>> writing = new ArrayDeque<>();

  private StorePlace(String name, BlockStore store) {
    this.name = name;
    this.store = store;
  }

  /**
   * Opens a store, and waits until it can be used.
   *
   * @throws IllegalArgumentException with one sentence if it cannot be
   */
  static StorePlace open(StoreSpec spec, ClassLoader loader) {
    BlockStore store = spec.openRaw(loader);
    try {
      store.ready().join();
    } catch (CompletionException e) {
      store.close();
      throw new IllegalArgumentException(
          "the store %s cannot be opened: %s".formatted(spec, e.getCause().getMessage()), e);
    }
    return new StorePlace(spec.toString(), store);
  }

  @Override
  public void forEach(BiConsumer<BlockKey, byte[]> visitor) {
    store.forEach(visitor);
  }

  /** Keeps a value, soon; {@link #flush} waits for it. */
  void put(BlockKey key, byte[] value) {
    if (writing.size() == MOST_AT_ONCE) {
      await(writing.remove());
    }
    writing.add(store.put(key, value));
  }

  /** Waits until all that was put is kept. */
  void flush() {
    while (!writing.isEmpty()) {
      await(writing.remove());
    }
  }

  private void await(CompletableFuture<Void> write) {
    try {
      write.join();
    } catch (CompletionException e) {
      throw new IllegalArgumentException(
          "the store %s does not keep blocks: %s".formatted(name, e.getCause().getMessage()), e);
    }
  }

  @Override
  public void remove(Set<BlockKey> keys) {
    keys.forEach(key -> await(store.remove(key)));
  }

  @Override
  public void close() {
    store.close();
  }
}
