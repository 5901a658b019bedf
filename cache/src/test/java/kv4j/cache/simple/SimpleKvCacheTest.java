package kv4j.cache.simple;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.benmanes.caffeine.cache.RemovalCause;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import kv4j.cache.simple.SimpleKvCache.Device;
import kv4j.cache.simple.SimpleKvCache.KeyValue;
import kv4j.cache.simple.SimpleKvCache.Stats;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager.Location;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class SimpleKvCacheTest {
  /** Ten floats each of keys and values: 80 bytes. */
  private static final long ENTRY_BYTES = 80;

  private static INDArray filled(float value) {
    return Nd4j.valueArrayOf(new long[] {5, 1, 2}, value, DataType.FLOAT);
  }

  private static boolean cache(SimpleKvCache cache, String prefix, int layer, float value) {
    return cache.cacheKv(prefix, layer, filled(value), filled(-value));
  }

  @Test
  void countsHitsAndMisses() {
    SimpleKvCache cache = SimpleKvCache.builder().build();
    assertEquals(0, cache.stats().hitRatePercent());
    for (int layer = 0; layer < 4; layer++) {
      assertTrue(cache.getCachedKv("p", layer).isEmpty()); // 4 misses
      assertTrue(cache(cache, "p", layer, layer + 1));
    }
    for (int layer = 0; layer < 4; layer++) {
      KeyValue kv = cache.getCachedKv("p", layer).orElseThrow(); // 4 hits
      assertEquals(filled(layer + 1), kv.keys());
      assertEquals(filled(-layer - 1), kv.values());
    }
    assertTrue(cache.getCachedKv("p", 4).isEmpty()); // another layer: 1 miss
    assertTrue(cache.getCachedKv("q", 0).isEmpty()); // another prefix: 1 miss
    Stats stats = cache.stats();
    assertEquals(new Stats(4, 6, 4, 4 * ENTRY_BYTES, Map.of()), stats);
    assertEquals(40.0, stats.hitRatePercent());
  }

  @Test
  void anEntryExpiresItsTimeToLiveAfterItWasStored() {
    AtomicLong now = new AtomicLong();
    SimpleKvCache cache =
        SimpleKvCache.builder().timeToLive(Duration.ofNanos(100)).ticker(now::get).build();
    cache(cache, "p", 0, 1);
    now.set(60);
    cache(cache, "p", 1, 1);
    assertTrue(cache.getCachedKv("p", 0).isPresent()); // reading does not prolong
    now.set(99);
    assertTrue(cache.getCachedKv("p", 0).isPresent());
    now.set(100);
    assertTrue(cache.getCachedKv("p", 0).isEmpty());
    assertTrue(cache.getCachedKv("p", 1).isPresent());
    assertEquals(new Stats(3, 1, 1, ENTRY_BYTES, Map.of(RemovalCause.EXPIRED, 1L)), cache.stats());
    now.set(160);
    assertEquals(new Stats(3, 1, 0, 0, Map.of(RemovalCause.EXPIRED, 2L)), cache.stats());
  }

  @Test
  void theLimitHoldsWhenACallReturns() {
    SimpleKvCache cache = SimpleKvCache.builder().maxBytes(3 * ENTRY_BYTES).build();
    for (int i = 0; i < 10; i++) {
      boolean kept = cache(cache, "p" + i, 0, i);
      assertEquals(kept, cache.getCachedKv("p" + i, 0).isPresent());
      int expected = Math.min(3, i + 1);
      Stats stats = cache.stats();
      assertEquals(expected, stats.entries());
      assertEquals(expected * ENTRY_BYTES, stats.bytes());
      assertEquals(i + 1L - expected, stats.evictions().getOrDefault(RemovalCause.SIZE, 0L));
    }
  }

  @Test
  void whatIsLargerThanTheLimitIsNotKeptAndEvictsNothing() {
    SimpleKvCache cache = SimpleKvCache.builder().maxBytes(2 * ENTRY_BYTES).build();
    cache(cache, "p", 0, 1);
    cache(cache, "p", 1, 1);
    INDArray large = Nd4j.ones(DataType.FLOAT, 21); // 84 + 84 bytes
    assertFalse(cache.cacheKv("q", 0, large, large));
    assertEquals(2, cache.stats().entries());
    assertFalse(cache.cacheKv("p", 0, large, large));
    assertTrue(cache.getCachedKv("p", 0).isEmpty(), "what it was to replace is out of date");
    assertTrue(cache.getCachedKv("p", 1).isPresent());
    assertEquals(Map.of(RemovalCause.EXPLICIT, 1L), cache.stats().evictions());
  }

  @Test
  void countsReplacedAndClearedEntries() {
    SimpleKvCache cache = SimpleKvCache.builder().build();
    cache(cache, "p", 0, 1);
    cache(cache, "p", 0, 2);
    cache(cache, "p", 1, 3);
    assertEquals(filled(2), cache.getCachedKv("p", 0).orElseThrow().keys());
    assertEquals(2 * ENTRY_BYTES, cache.stats().bytes());
    cache.clear();
    assertEquals(
        new Stats(1, 0, 0, 0, Map.of(RemovalCause.REPLACED, 1L, RemovalCause.EXPLICIT, 2L)),
        cache.stats());
  }

  @Test
  void tokensAreComparedExactly() {
    assertEquals(Arrays.hashCode(new int[] {0, 31}), Arrays.hashCode(new int[] {1, 0}));
    assertNotShared(new int[] {0, 31}, new int[] {1, 0});
    assertEquals(
        SimpleKvCache.tokens(new int[] {31, 0}).hashCode(),
        SimpleKvCache.tokens(new int[] {0, 1}).hashCode());
    assertNotShared(new int[] {31, 0}, new int[] {0, 1});
  }

  private static void assertNotShared(int[] a, int[] b) {
    SimpleKvCache cache = SimpleKvCache.builder().build();
    int[] key = a.clone();
    cache.cacheKv(key, 0, filled(1), filled(1));
    key[1] = 7; // the caller's array, not the cache's
    assertTrue(cache.getCachedKv(a, 0).isPresent());
    assertTrue(cache.getCachedKv(key, 0).isEmpty());
    assertTrue(cache.getCachedKv(b, 0).isEmpty());
    assertTrue(cache.getCachedKv(Arrays.copyOf(a, 3), 0).isEmpty());
    assertTrue(cache.getCachedKv(Arrays.toString(a), 0).isEmpty());
    cache.cacheKv(b, 0, filled(2), filled(2));
    assertEquals(filled(1), cache.getCachedKv(a, 0).orElseThrow().keys());
    assertEquals(filled(2), cache.getCachedKv(b, 0).orElseThrow().keys());
  }

  @Test
  void storesItsOwnCopy() {
    SimpleKvCache cache = SimpleKvCache.builder().build();
    INDArray keys = filled(1);
    INDArray values = filled(2);
    cache.cacheKv("p", 0, keys, values);
    keys.addi(10);
    values.close();
    KeyValue kv = cache.getCachedKv("p", 0).orElseThrow();
    assertEquals(filled(1), kv.keys());
    assertEquals(filled(2), kv.values());
  }

  @Test
  void copiesViewsCompactlyAndOutOfWorkspaces() {
    SimpleKvCache cache = SimpleKvCache.builder().build();
    WorkspaceConfiguration config = WorkspaceConfiguration.builder().initialSize(1 << 16).build();
    try (MemoryWorkspace open =
        Nd4j.getWorkspaceManager().getAndActivateWorkspace(config, "test")) {
      INDArray rows = Nd4j.arange(1000).castTo(DataType.FLOAT).reshape(100, 10);
      assertTrue(rows.isAttached(), open.getId());
      INDArray column = rows.getColumn(3);
      cache.cacheKv("p", 0, column, column);
    }
    KeyValue kv = cache.getCachedKv("p", 0).orElseThrow();
    assertFalse(kv.keys().isAttached());
    assertEquals(100, kv.keys().data().length());
    assertEquals(993, kv.keys().getFloat(99));
    assertEquals(800, cache.stats().bytes());
  }

  @Test
  void whatWasReturnedOutlivesItsEviction() {
    SimpleKvCache cache = SimpleKvCache.builder().build();
    cache(cache, "p", 0, 3);
    KeyValue kv = cache.getCachedKv("p", 0).orElseThrow();
    cache.clear();
    assertFalse(kv.keys().wasClosed());
    assertEquals(filled(3), kv.keys());
  }

  @Test
  void placesArraysAsAsked() {
    assertEquals(Location.HOST, Device.AUTO.location(false));
    assertEquals(Location.DEVICE, Device.AUTO.location(true));
    assertEquals(Location.HOST, Device.CPU.location(false));
    assertEquals(Location.HOST, Device.CPU.location(true));
    assertEquals(Location.DEVICE, Device.GPU.location(true));
    assertTrue(Nd4j.getEnvironment().isCPU(), "these tests run on a CPU backend");
    SimpleKvCache.Builder gpu = SimpleKvCache.builder().device(Device.GPU);
    assertEquals(
        "the cache cannot keep arrays on a GPU because ND4J's backend is a CPU one",
        assertThrows(IllegalArgumentException.class, gpu::build).getMessage());
  }

  @Test
  void refusesWhatMakesNoSense() {
    SimpleKvCache.Builder builder = SimpleKvCache.builder();
    assertThrows(IllegalArgumentException.class, () -> builder.maxBytes(0));
    assertThrows(IllegalArgumentException.class, () -> builder.timeToLive(Duration.ZERO));
    SimpleKvCache cache = builder.build();
    assertThrows(IllegalArgumentException.class, () -> cache(cache, "p", -1, 1));
    INDArray empty = Nd4j.empty(DataType.FLOAT);
    assertThrows(IllegalArgumentException.class, () -> cache.cacheKv("p", 0, empty, filled(1)));
    assertEquals(0, cache.stats().entries());
  }

  @Test
  void manyThreadsSeeWholeEntriesAndTheLimitHolds() throws Exception {
    int threads = 4;
    int rounds = 300;
    SimpleKvCache cache = SimpleKvCache.builder().maxBytes(6 * ENTRY_BYTES).build();
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Long>> running = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        Random random = new Random(t);
        running.add(
            pool.submit(
                () -> {
                  long hits = 0;
                  for (int i = 0; i < rounds; i++) {
                    int which = random.nextInt(12);
                    var found = cache.getCachedKv("p" + which, which);
                    if (found.isPresent()) {
                      hits++;
                      assertEquals(filled(which), found.get().keys());
                      assertEquals(filled(-which), found.get().values());
                    } else {
                      cache(cache, "p" + which, which, which);
                    }
                  }
                  return hits;
                }));
      }
      long hits = 0;
      for (Future<Long> future : running) {
        hits += future.get();
      }
      Stats stats = cache.stats();
      assertEquals(hits, stats.hits());
      assertEquals((long) threads * rounds - hits, stats.misses());
      assertTrue(hits > 0);
      assertEquals(stats.entries() * ENTRY_BYTES, stats.bytes());
      assertTrue(stats.entries() <= 6, stats::toString);
      long left = stats.evictions().values().stream().mapToLong(Long::longValue).sum();
      assertEquals(stats.misses(), stats.entries() + left, "all that was stored is or left");
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void theExampleRuns() {
    // the first of 10 requests misses in 32 layers; each keeps 2 · 480 · 4 · 32 floats
    Stats expected = new Stats(288, 32, 32, 32L * 2 * 480 * 4 * 32 * 4, Map.of());
    assertEquals(expected, SimpleKvCacheExample.run());
    assertEquals(90.0, expected.hitRatePercent());
  }
}
