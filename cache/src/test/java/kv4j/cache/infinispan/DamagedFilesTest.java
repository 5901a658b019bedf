package kv4j.cache.infinispan;

import static kv4j.cache.infinispan.Samples.key;
import static kv4j.cache.infinispan.Samples.value;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.DamagedValueException;
import kv4j.cache.store.StoreOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of a closed store in which bits have changed, or whose ends are missing. */
class DamagedFilesTest {
  private static final int ROUNDS = 40;
  private static final int FLIPS = 1000 / ROUNDS;
  private static final int VALUES = 300;

  /** Small, so that what is around them is hit often. */
  private static final int BYTES = 150;

  /** Longer than anything takes on a busy machine. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @TempDir Path folder;

  @Test
  void aThousandFlippedBitsCostValuesAndNeverTheStore() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int survivors = 0;
    Path whole = folder.resolve("whole");
    fill(whole);
    for (int round = 0; round < ROUNDS; round++) {
      Path store = folder.resolve("round" + round);
      for (Path file : files(whole)) {
        Path copy = store.resolve(whole.relativize(file));
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
      List<Path> files = files(store);
      for (int i = 0; i < FLIPS; i++) {
        flip(files, random);
      }
      survivors += assertTimeoutPreemptively(PATIENCE, () -> countWhole(store), "seed " + seed);
    }
    assertTrue(survivors > ROUNDS * VALUES / 4, survivors + " values survive; seed " + seed);
  }

  @Test
  void aFileThatEndsEarlyKeepsWhatIsBeforeItsEnd() throws Exception {
    fill(folder);
    Path data = folder.resolve("blocks/data/ispn12.0");
    long size = Files.size(data);
    try (RandomAccessFile file = new RandomAccessFile(data.toFile(), "rw")) {
      file.setLength(size - BYTES / 2);
    }
    assertEquals(VALUES - 1, countWhole(folder));
    assertTrue(Files.size(data) < size - BYTES / 2, "the rest of a record is cut off");
  }

  @Test
  void whatInfinispanCannotReadIsMovedAside() throws Exception {
    fill(folder);
    Files.createDirectories(folder.resolve("blocks/index"));
    // of a version that Infinispan no longer reads
    Files.write(folder.resolve("blocks/data/1"), new byte[100]);
    assertEquals(0, countWhole(folder));
    assertTrue(Files.exists(folder.resolve("damaged/data/ispn12.0")));
    fill(folder);
    assertEquals(VALUES, countWhole(folder));
  }

  private static void fill(Path folder) {
    try (BlockStore store = open(folder)) {
      IntStream.range(0, VALUES)
          .forEach(number -> store.put(key(number), value(number, BYTES)).join());
    }
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> Files.isRegularFile(file) && file.toFile().length() > 0)
          .sorted()
          .toList();
    }
  }

  private static void flip(List<Path> files, Random random) throws IOException {
    long[] sizes = files.stream().mapToLong(file -> file.toFile().length()).toArray();
    long at = random.nextLong(Arrays.stream(sizes).sum());
    int which = 0;
    while (at >= sizes[which]) {
      at -= sizes[which++];
    }
    try (RandomAccessFile file = new RandomAccessFile(files.get(which).toFile(), "rw")) {
      file.seek(at);
      int old = file.read();
      file.seek(at);
      file.write(old ^ 1 << random.nextInt(8));
    }
  }

  /** Opens a store and counts values that are whole; the others are absent, damaged or wrong. */
  private static int countWhole(Path folder) {
    List<Integer> whole = new ArrayList<>();
    try (BlockStore store = open(folder)) {
      AtomicInteger visited = new AtomicInteger();
      store.forEach((key, value) -> visited.incrementAndGet());
      assertTrue(visited.get() <= store.contents().values());
      for (int number = 0; number < VALUES; number++) {
        try {
          byte[] value = store.get(List.of(key(number))).get(0).join();
          if (Arrays.equals(value, value(number, BYTES))) {
            whole.add(number);
          }
        } catch (CompletionException e) {
          assertInstanceOf(DamagedValueException.class, e.getCause(), e::toString);
        }
      }
      store.put(key(-1), value(-1, BYTES)).join();
      assertArrayEquals(value(-1, BYTES), store.get(List.of(key(-1))).get(0).join());
      store.remove(key(-1)).join();
    }
    return whole.size();
  }

  private static BlockStore open(Path folder) {
    BlockStore store = new DiskStoreProvider().open(StoreOptions.of(folder.toString()));
    store.ready().join();
    return store;
  }
}
