package kv4j.cache.tier;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import kv4j.cache.block.BlockKey;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.StoreContents;

/** A store in memory that does as a test says. */
public final class FakeStore implements BlockStore {
  /** What it keeps; guarded by itself. */
  public final Map<BlockKey, byte[]> values = new HashMap<>();

  /** The keys it was asked for, question by question. */
  public final List<List<BlockKey>> questions = new ArrayList<>();

  /** What it answers, from the key and the value that it has or null. */
  public volatile BiFunction<BlockKey, byte[], CompletableFuture<byte[]>> answer =
      (key, value) -> CompletableFuture.completedFuture(value);

  /** What comes of a put. */
  public volatile BiFunction<BlockKey, byte[], CompletableFuture<Void>> taking =
      (key, value) -> CompletableFuture.completedFuture(null);

  /** When it can be used. */
  public volatile CompletableFuture<Void> ready = CompletableFuture.completedFuture(null);

  @Override
  public CompletableFuture<Void> ready() {
    return ready;
  }

  @Override
  public List<CompletableFuture<byte[]>> get(List<BlockKey> chain) {
    List<byte[]> found = new ArrayList<>();
    synchronized (values) {
      questions.add(chain);
      chain.forEach(key -> found.add(values.get(key)));
    }
    List<CompletableFuture<byte[]>> answers = new ArrayList<>();
    for (int i = 0; i < found.size(); i++) {
      answers.add(answer.apply(chain.get(i), found.get(i)));
    }
    return answers;
  }

  @Override
  public CompletableFuture<Void> put(BlockKey key, byte[] value) {
    return taking
        .apply(key, value)
        .thenRun(
            () -> {
              synchronized (values) {
                values.put(key, value);
              }
            });
  }

  @Override
  public CompletableFuture<Void> remove(BlockKey key) {
    synchronized (values) {
      values.remove(key);
    }
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public void forEach(BiConsumer<BlockKey, byte[]> visitor) {
    Map<BlockKey, byte[]> all;
    synchronized (values) {
      all = new HashMap<>(values);
    }
    all.forEach(visitor);
  }

  @Override
  public StoreContents contents() {
    synchronized (values) {
      return new StoreContents(
          values.size(), values.values().stream().mapToLong(v -> v.length).sum(), List.of());
    }
  }

  @Override
  public void close() {}
}
