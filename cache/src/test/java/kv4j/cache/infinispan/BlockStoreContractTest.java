package kv4j.cache.infinispan;

import static kv4j.cache.infinispan.Samples.key;
import static kv4j.cache.infinispan.Samples.value;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import kv4j.cache.block.BlockKey;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStores;
import kv4j.cache.store.ClusterOptions;
import kv4j.cache.store.EncryptedStore;
import kv4j.cache.store.MemoryStore;
import kv4j.cache.store.StoreOptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every store promises, held against a map, of all kinds of stores there are. */
class BlockStoreContractTest {
  enum Kind {
    MEMORY,
    ENCRYPTED,
    DISK,
    CLUSTER,
    CLUSTER_ON_DISK;

    BlockStore open(Path folder) throws Exception {
      BlockStore store =
          switch (this) {
            case MEMORY -> new MemoryStore();
            case ENCRYPTED -> EncryptedStore.of(new MemoryStore(), keyFile(folder));
            case DISK -> opened("disk", StoreOptions.of(folder.toString()));
            case CLUSTER -> opened("cluster", alone("test"));
            case CLUSTER_ON_DISK -> opened("cluster", alone("test,disk:" + folder));
          };
      store.ready().join();
      return store;
    }

    /** A cluster of one process: no peer is at the port that it is given. */
    private static StoreOptions alone(String argument) throws IOException {
      List<String> self = List.of("127.0.0.1:" + Cluster.freePort());
      return new StoreOptions(
          argument,
          OptionalLong.empty(),
          Optional.empty(),
          Optional.of(
              new ClusterOptions(1, new ClusterOptions.Discovery.Peers(self), Optional.empty())));
    }

    private static BlockStore opened(String name, StoreOptions options) {
      return BlockStores.open(name, options, BlockStoreContractTest.class.getClassLoader());
    }

    private static Path keyFile(Path folder) throws Exception {
      return Files.write(folder.resolve("key"), value(1, 32));
    }
  }

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void valuesComeInTheOrderOfTheirKeys(Kind kind) throws Exception {
    try (BlockStore store = kind.open(folder)) {
      int[] sizes = {1, 100, Samples.BLOCK_BYTES, 5 << 20};
      for (int i = 0; i < sizes.length; i++) {
        store.put(key(i), value(i, sizes[i])).join();
      }
      List<BlockKey> chain = List.of(key(2), key(77), key(0), key(3), key(1));
      List<CompletableFuture<byte[]>> values = store.get(chain);
      assertEquals(chain.size(), values.size());
      assertArrayEquals(value(2, sizes[2]), values.get(0).join());
      assertNull(values.get(1).join());
      assertArrayEquals(value(0, sizes[0]), values.get(2).join());
      assertArrayEquals(value(3, sizes[3]), values.get(3).join());
      assertArrayEquals(value(1, sizes[1]), values.get(4).join());
    }
  }

  @ParameterizedTest
  @EnumSource
  void randomOperationsGiveWhatAMapGives(Kind kind) throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Map<Integer, byte[]> expected = new HashMap<>();
    try (BlockStore store = kind.open(folder)) {
      for (int i = 0; i < 400; i++) {
        int number = random.nextInt(30);
        switch (random.nextInt(4)) {
          case 0 -> {
            store.remove(key(number)).join();
            expected.remove(number);
          }
          case 1 -> {
            byte[] value = value(random.nextInt(), 1 + random.nextInt(2000));
            store.put(key(number), value).join();
            expected.put(number, value);
          }
          default ->
              assertArrayEquals(
                  expected.get(number),
                  store.get(List.of(key(number))).get(0).join(),
                  "seed " + seed);
        }
      }
      Map<Integer, byte[]> visited = new HashMap<>();
      store.forEach((key, value) -> visited.put(Samples.number(key), value));
      assertEquals(expected.keySet(), visited.keySet(), "seed " + seed);
      visited.forEach((number, value) -> assertArrayEquals(expected.get(number), value));
      assertEquals(expected.size(), store.contents().values(), "seed " + seed);
    }
  }

  @ParameterizedTest
  @EnumSource
  void manyThreadsAtOnceFindWhatEachPut(Kind kind) throws Exception {
    try (BlockStore store = kind.open(folder)) {
      IntStream.range(0, 64)
          .parallel()
          .forEach(
              number -> {
                store.put(key(number), value(number, 10_000)).join();
                assertArrayEquals(
                    value(number, 10_000), store.get(List.of(key(number))).get(0).join());
              });
      assertEquals(64, store.contents().values());
    }
  }
}
