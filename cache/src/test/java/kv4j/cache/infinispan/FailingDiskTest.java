package kv4j.cache.infinispan;

import static kv4j.cache.infinispan.Samples.key;
import static kv4j.cache.infinispan.Samples.value;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.StoreOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks that are full, take no more, or cannot be written to. */
class FailingDiskTest {
  private static final int BYTES = 100_000;

  @TempDir Path folder;

  @Test
  void aFullDiskLosesNothingThatItHolds() throws Exception {
    assumeTrue(run("mount -t tmpfs -o size=24m tmpfs " + folder), "nothing can be mounted here");
    try {
      List<Integer> kept = new ArrayList<>();
      try (BlockStore store = open()) {
        CompletionException full = null;
        for (int i = 0; full == null; i++) {
          try {
            store.put(key(i), value(i, BYTES)).join();
            kept.add(i);
          } catch (CompletionException e) {
            full = e;
          }
        }
        assertTrue(full.getMessage().contains("no room is left on the disk"), full::toString);
        assertWhole(store, kept);
      }
      try (BlockStore store = open()) {
        assertWhole(store, kept);
      }
      run("mount -o remount,ro " + folder);
      String message =
          assertThrows(IllegalArgumentException.class, FailingDiskTest.this::open).getMessage();
      assertTrue(
          message.startsWith("the store's folder " + folder + " cannot be written to"), message);
    } finally {
      run("umount " + folder);
    }
  }

  /** A limit to the size of files stands for whatever keeps a write from being completed. */
  @Test
  void afterAWriteFailedInTheMiddleTheRestIsReadUntilTheStoreIsOpenedAnew() throws Exception {
    List<Integer> kept = new ArrayList<>();
    int count = 20;
    List<String> limited = List.of("sh", "-c", "ulimit -f 1000; exec \"$@\"", "sh");
    try (StoreProcess process =
        StoreProcess.start(limited, line -> {}, "store=disk", "argument=" + folder)) {
      process.await("open");
      for (int number = 0; number < count; number++) {
        process.say("put " + number + " " + BYTES);
        String answer =
            process.await(line -> line.startsWith("put ") || line.startsWith("failed "));
        if (answer.startsWith("put ")) {
          kept.add(number);
        }
      }
      for (int number : kept) {
        assertTrue(process.finds(number));
      }
      process.kill();
    }
    assertTrue(!kept.isEmpty() && kept.size() < count, kept::toString);
    assertEquals(kept.size() - 1, kept.get(kept.size() - 1), "none after the first that failed");
    try (BlockStore store = open()) {
      assertWhole(store, kept);
      store.put(key(count), value(count, BYTES)).join();
      assertWhole(store, List.of(count));
    }
  }

  private BlockStore open() {
    BlockStore store = new DiskStoreProvider().open(StoreOptions.of(folder.toString()));
    store.ready().join();
    return store;
  }

  private static void assertWhole(BlockStore store, List<Integer> numbers) {
    for (int number : numbers) {
      assertArrayEquals(
          value(number, BYTES), store.get(List.of(key(number))).get(0).join(), "" + number);
    }
  }

  private static boolean run(String command) throws IOException, InterruptedException {
    return new ProcessBuilder(command.split(" ")).inheritIO().start().waitFor() == 0;
  }
}
