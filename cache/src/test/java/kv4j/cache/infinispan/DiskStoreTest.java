package kv4j.cache.infinispan;

import static kv4j.cache.infinispan.Samples.BLOCK_BYTES;
import static kv4j.cache.infinispan.Samples.key;
import static kv4j.cache.infinispan.Samples.value;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStores;
import kv4j.cache.store.EncryptedStore;
import kv4j.cache.store.StoreOptions;
import org.infinispan.AdvancedCache;
import org.infinispan.lifecycle.ComponentStatus;
import org.infinispan.manager.EmbeddedCacheManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is particular to blocks in a folder. */
class DiskStoreTest {
  private static final long MIB = 1 << 20;

  @TempDir Path folder;

  @Test
  void whatWasPutIsThereWhenOpenedAgain() {
    try (BlockStore store = open(options())) {
      for (int i = 0; i < 20; i++) {
        store.put(key(i), value(i, BLOCK_BYTES)).join();
      }
      store.remove(key(7)).join();
    }
    try (BlockStore store = open(options())) {
      assertEquals(19, store.contents().values());
      assertTrue(store.contents().bytes() >= 19 * BLOCK_BYTES);
      for (int i = 0; i < 20; i++) {
        assertArrayEquals(i == 7 ? null : value(i, BLOCK_BYTES), get(store, i));
      }
    }
  }

  @Test
  void filesKeepToTheirLimit() throws IOException {
    long limit = 32 * MIB;
    try (BlockStore store = open(limited(limit))) {
      for (int i = 0; i < 400; i++) {
        try {
          store.put(key(i), value(i, 256 << 10)).join();
        } catch (CompletionException e) { // being compacted
          assertTrue(e.getCause().toString().contains("limit"), e::toString);
        }
        assertTrue(bytes(folder) <= limit, "the files have " + bytes(folder));
      }
      assertTrue(store.contents().values() >= 40, store.contents()::toString);
    }
    assertTrue(bytes(folder) <= limit);
    try (BlockStore store = open(limited(limit))) {
      assertTrue(store.contents().values() >= 40, store.contents()::toString);
      assertNull(get(store, 0));
    }
  }

  @Test
  void whatWasReadLastStaysLongest() {
    try (BlockStore store = open(limited(16 * MIB))) {
      store.put(key(0), value(0, 256 << 10)).join();
      for (int i = 1; i < 200; i++) {
        try {
          store.put(key(i), value(i, 256 << 10)).join();
        } catch (CompletionException e) { // being compacted
          assertTrue(e.getCause().toString().contains("limit"), e::toString);
        }
        assertNotNull(get(store, 0), "after " + i);
      }
      assertNull(get(store, 1));
    }
  }

  @Test
  void valuesExpire() {
    StoreOptions options =
        new StoreOptions(
            folder.toString(),
            OptionalLong.empty(),
            Optional.of(Duration.ofMillis(1)),
            Optional.empty());
    try (BlockStore store = open(options)) {
      store.put(key(1), value(1, 1000)).join();
      long put = System.nanoTime();
      while (System.nanoTime() - put < 10_000_000) {
        Thread.onSpinWait();
      }
      assertNull(get(store, 1));
    }
    try (BlockStore store = open(options())) {
      assertNull(get(store, 1), "the time is noted with the value");
    }
  }

  @Test
  void nothingOfAnEncryptedValueIsInTheFiles() throws IOException {
    String text = "what nobody is to read";
    byte[] value = text.repeat(5000).getBytes(StandardCharsets.ISO_8859_1);
    Path secret = Files.write(folder.resolve("secret"), value(1, 32));
    for (boolean encrypt : new boolean[] {false, true}) {
      Path files = folder.resolve("encrypt-" + encrypt);
      BlockStore disk = open(StoreOptions.of(files.toString()));
      try (BlockStore store = encrypt ? EncryptedStore.of(disk, secret) : disk) {
        store.put(key(1), value).join();
        assertArrayEquals(value, get(store, 1));
      }
      assertEquals(!encrypt, anyFileHas(files, text), "found where it is not encrypted");
    }
  }

  private static boolean anyFileHas(Path folder, String text) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (Files.readString(file, StandardCharsets.ISO_8859_1).contains(text)) {
          return true;
        }
      }
      return false;
    }
  }

  @Test
  void aFolderIsOneStoresAtATime() throws Exception {
    String inUse = "the store's folder " + folder + " is in use by another store or process";
    try (BlockStore store = open(options())) {
      assertEquals(0, store.contents().values());
      assertEquals(
          inUse, assertThrows(IllegalArgumentException.class, () -> open(options())).getMessage());
      try (StoreProcess other = StoreProcess.start("store=disk", "argument=" + folder)) {
        assertEquals(inUse, other.await("refused "));
      }
    }
    try (BlockStore store = open(options())) {
      assertEquals(0, store.contents().values());
    }
  }

  @Test
  void whoClosesAStoreTwiceLeavesTheNextOneItsFolder() {
    BlockStore first = open(options());
    first.close();
    try (BlockStore second = open(options())) {
      first.close();
      assertTrue(refusal(options()).contains("is in use"));
      assertEquals(0, second.contents().values());
    }
  }

  @Test
  void aCacheThatStartsAndCannotBeUsedIsStopped() {
    AtomicReference<EmbeddedCacheManager> manager = new AtomicReference<>();
    try (BlockStore store =
        new InfinispanStore(
            () -> {
              AdvancedCache<byte[], byte[]> cache = EmbeddedCaches.local(folder, options());
              manager.set(cache.getCacheManager());
              cache.stop();
              return cache;
            },
            new InfinispanStore.Resources(Runnable::run, Runnable::run, () -> {}))) {
      assertThrows(CompletionException.class, () -> store.ready().join());
    }
    assertEquals(ComponentStatus.TERMINATED, manager.get().getStatus());
  }

  @Test
  void whatCannotBeAFolderIsRefused() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    assertTrue(refusal(StoreOptions.of(file.toString())).contains("cannot be written to"));
    assertTrue(refusal(StoreOptions.of("")).contains("needs a folder"));
    assertTrue(refusal(limited(1000)).contains("at least 16777216 bytes, not 1000"));
  }

  @Test
  void withoutInfinispanThereIsASentence() throws Exception {
    for (String store : List.of("disk", "cluster")) {
      try (StoreProcess process =
          StoreProcess.start(
              List.of(),
              line -> {},
              path -> !path.matches(".*(infinispan|jgroups)-.*"),
              "store=" + store,
              "argument=" + folder)) {
        assertEquals(
            "the store " + store + " needs infinispan-core on the class path",
            process.await("refused "));
      }
    }
  }

  private String refusal(StoreOptions options) {
    return assertThrows(IllegalArgumentException.class, () -> open(options)).getMessage();
  }

  private static byte[] get(BlockStore store, int number) {
    return store.get(List.of(key(number))).get(0).join();
  }

  private StoreOptions options() {
    return StoreOptions.of(folder.toString());
  }

  private StoreOptions limited(long bytes) {
    return new StoreOptions(
        folder.toString(), OptionalLong.of(bytes), Optional.empty(), Optional.empty());
  }

  private static BlockStore open(StoreOptions options) {
    BlockStore store = BlockStores.open("disk", options, DiskStoreTest.class.getClassLoader());
    store.ready().join();
    return store;
  }

  /** Bytes of all files in a folder, counted anew if one is deleted meanwhile. */
  private static long bytes(Path folder) throws IOException {
    while (true) {
      try (Stream<Path> files = Files.walk(folder)) {
        return files.map(Path::toFile).filter(File::isFile).mapToLong(File::length).sum();
      } catch (UncheckedIOException e) {
        assertTrue(e.getCause() instanceof NoSuchFileException, e::toString);
      }
    }
  }
}
