package kv4j.cache.store;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import kv4j.cache.block.BlockKey;

/** The plainest store there is: a map. */
public final class MemoryStore implements BlockStore {
  private final Map<BlockKey, byte[]> values = new ConcurrentHashMap<>();

  @Override
  public List<CompletableFuture<byte[]>> get(List<BlockKey> chain) {
    return chain.stream().map(values::get).map(CompletableFuture::completedFuture).toList();
  }

  @Override
  public CompletableFuture<Void> put(BlockKey key, byte[] value) {
    values.put(key, value);
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public CompletableFuture<Void> remove(BlockKey key) {
    values.remove(key);
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public void forEach(BiConsumer<BlockKey, byte[]> visitor) {
    values.forEach(visitor);
  }

  @Override
  public StoreContents contents() {
    return new StoreContents(
        values.size(), values.values().stream().mapToLong(value -> value.length).sum(), List.of());
  }

  @Override
  public void close() {}
}
