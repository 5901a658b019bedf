package kv4j.cache.store;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import kv4j.cache.block.BlockKey;

/**
 * Keeps blocks as bytes, outside of the memory that a cache counts, for longer than a process lives
 * or for other processes. Safe for use by many threads.
 *
 * <p>It is trusted with nothing: it may lose values, be slow, fail or give other bytes than it was
 * given, and whoever reads checks all of it. A method may therefore do its work on the calling
 * thread or on another, as suits it. To add one, implement {@link BlockStoreProvider}.
 */
public interface BlockStore extends AutoCloseable {
  /**
   * Completes when the store can be used, exceptionally if it cannot be; before that, everything
   * else may be refused. Opening goes on in the background.
   */
  default CompletableFuture<Void> ready() {
    return CompletableFuture.completedFuture(null);
  }

  /**
   * Asks for the values of a chain of blocks, all at once.
   *
   * @param chain keys of blocks that follow each other: a value is of no use without those before
   *     it
   * @return for each key its value, not to be modified, or null if there is none
   */
  List<CompletableFuture<byte[]>> get(List<BlockKey> chain);

  /**
   * Keeps a value, perhaps in place of another.
   *
   * @param value not modified any more, by anybody
   * @return completes when it is kept as safely as this store keeps things
   */
  CompletableFuture<Void> put(BlockKey key, byte[] value);

  /** Gives up a value, if there is one. */
  CompletableFuture<Void> remove(BlockKey key);

  /**
   * Visits everything that is kept, on the calling thread, in any order; what comes or goes
   * meanwhile is visited or not.
   */
  void forEach(BiConsumer<BlockKey, byte[]> visitor);

  /** How much is kept, and where. */
  StoreContents contents();

  /** Writes down what has been put, and gives back what the store holds. */
  @Override
  void close();
}
