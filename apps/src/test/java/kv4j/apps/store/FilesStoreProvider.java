package kv4j.apps.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import kv4j.cache.block.BlockKey;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStoreProvider;
import kv4j.cache.store.StoreContents;
import kv4j.cache.store.StoreOptions;

/** {@code files:DIR}: a file for each value, for tests to look into; opens when they say so. */
public final class FilesStoreProvider implements BlockStoreProvider {
  private static final CompletableFuture<Void> AT_ONCE = CompletableFuture.completedFuture(null);

  /** When stores that are opened from now on can be used. */
  public static final AtomicReference<CompletableFuture<Void>> READY =
      new AtomicReference<>(AT_ONCE);

  /** Which processes stores that are opened from now on say that they are kept by. */
  public static final AtomicReference<List<String>> NODES = new AtomicReference<>(List.of());

  @Override
  public String name() {
    return "files";
  }

  @Override
  public String description() {
    return "a file for each block";
  }

  @Override
  public BlockStore open(StoreOptions options) {
    Path folder = Path.of(options.argument());
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException("there is no folder " + folder);
    }
    return new FilesStore(folder, READY.getAndSet(AT_ONCE), NODES.getAndSet(List.of()));
  }

  @Override
  public Set<Setting> settings() {
    return EnumSet.of(Setting.SIZE_LIMIT); // as if
  }

  private record FilesStore(Path folder, CompletableFuture<Void> ready, List<String> nodes)
      implements BlockStore {
    private static CompletableFuture<byte[]> read(Path file) {
      try {
        return CompletableFuture.completedFuture(
            Files.exists(file) ? Files.readAllBytes(file) : null);
      } catch (IOException e) {
        return CompletableFuture.failedFuture(e);
      }
    }

    private Path file(BlockKey key) {
      return folder.resolve(key.toString());
    }

    @Override
    public List<CompletableFuture<byte[]>> get(List<BlockKey> chain) {
      return chain.stream().map(key -> read(file(key))).toList();
    }

    @Override
    public CompletableFuture<Void> put(BlockKey key, byte[] value) {
      try {
        Files.write(file(key), value);
        return AT_ONCE;
      } catch (IOException e) {
        return CompletableFuture.failedFuture(e);
      }
    }

    @Override
    public CompletableFuture<Void> remove(BlockKey key) {
      try {
        Files.deleteIfExists(file(key));
        return AT_ONCE;
      } catch (IOException e) {
        return CompletableFuture.failedFuture(e);
      }
    }

    private List<Path> files() {
      try (Stream<Path> files = Files.list(folder)) {
        return files.toList();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void forEach(BiConsumer<BlockKey, byte[]> visitor) {
      for (Path file : files()) {
        BlockKey key = BlockKey.of(HexFormat.of().parseHex(file.getFileName().toString()));
        visitor.accept(key, read(file).join());
      }
    }

    @Override
    public StoreContents contents() {
      List<Path> files = files();
      return new StoreContents(
          files.size(), files.stream().mapToLong(file -> file.toFile().length()).sum(), nodes);
    }

    @Override
    public void close() {}
  }
}
