package kv4j.cache.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.cache.CacheStats;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.radix.RadixKvCache;
import kv4j.cache.store.StoreConfig;
import kv4j.cache.store.StoreConfig.When;
import kv4j.cache.store.StoreStats;
import kv4j.cache.tier.FakeStore;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A radix cache with a store behind it, whose keys and values tell what they were computed for. */
class StoredCacheTest {
  private static final int BLOCK = 4;
  private static final int LEAST = 8;
  private static final Duration LONG = Duration.ofMinutes(2);

  /** Fewer than the cache times, so that it never finds that computing is faster. */
  private static final int CHUNK = 5;

  private static KvLayout layout(KvDtype dtype) {
    return new KvLayout(2, 1, 2, BLOCK, dtype);
  }

  private static RadixKvCache cache(
      FakeStore store, KvDtype dtype, int blocks, When when, Duration deadline) {
    KvLayout layout = layout(dtype);
    return new RadixKvCache(
        KvCacheConfig.of(layout, blocks * layout.bytesPerBlock())
            .withStore(new StoreConfig(store, when, LEAST, dtype, deadline)));
  }

  /** What these check to be gone comes back from the store. */
  private static final Set<String> EVICTION =
      Set.of("the size limit holds", "the policy says what makes room");

  /** With a store behind it a cache promises what it promises without. */
  @TestFactory
  Stream<DynamicNode> theContractHolds() {
    KvCacheProvider provider =
        new KvCacheProvider() {
          @Override
          public String name() {
            return "stored";
          }

          @Override
          public String description() {
            return "radix over a store";
          }

          @Override
          public KvCache create(KvCacheConfig config) {
            return new RadixKvCache(
                config.withStore(
                    new StoreConfig(
                        new FakeStore(), When.EVICT, 1, config.layout().dtype(), LONG)));
          }
        };
    return Contract.of(provider).entrySet().stream()
        .filter(check -> !EVICTION.contains(check.getKey()))
        .map(check -> dynamicTest(check.getKey(), check.getValue()::run));
  }

  /** Prompts that share beginnings of all lengths with earlier ones. */
  private static final class Prompts {
    private final Random random;
    private final List<int[]> earlier = new ArrayList<>(List.of(new int[0]));

    Prompts(Random random) {
      this.random = random;
    }

    int[] next() {
      int[] base = earlier.get(random.nextInt(earlier.size()));
      int keep = random.nextInt(base.length + 1);
      int more = 1 + random.nextInt(20);
      int[] prompt =
          IntStream.concat(Arrays.stream(base, 0, keep), random.ints(more, 0, 3)).toArray();
      earlier.add(prompt);
      return prompt;
    }
  }

  private static Lookup run(KvCache cache, KvRequest request, Content content) {
    try (KvSequence sequence = cache.open(request)) {
      content.compute(sequence, request.prompt(), request.prompt().length, CHUNK);
      sequence.commit(request.prompt());
      return sequence.lookup();
    }
  }

  /**
   * What a store that loses nothing gives can be said exactly: whatever was committed before, by
   * whichever cache, in whole blocks; or what is in memory, if that is more.
   */
  @ParameterizedTest
  @EnumSource
  void whatWasCommittedOnceIsFoundByAllCachesOverOneStore(KvDtype dtype) {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    FakeStore store = new FakeStore();
    Content content = new Content(layout(dtype));
    Set<List<Integer>> committed = new HashSet<>();
    Prompts prompts = new Prompts(random);
    List<RadixKvCache> caches = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      caches.add(cache(store, dtype, 40, When.COMMIT, LONG));
    }
    for (int i = 0; i < 400; i++) {
      int[] prompt = prompts.next();
      if (prompt.length > 30 * BLOCK) {
        continue;
      }
      int which = random.nextInt(caches.size());
      if (random.nextInt(20) == 0) {
        caches.get(which).close();
        caches.set(which, cache(store, dtype, 40, When.COMMIT, LONG));
      }
      RadixKvCache cache = caches.get(which);
      KvRequest request = KvRequest.of(prompt);
      int inMemory = cache.cachedTokens(request).orElseThrow();
      int stored = 0;
      while (stored + BLOCK < prompt.length && committed.contains(list(prompt, stored + BLOCK))) {
        stored += BLOCK;
      }
      int expected = prompt.length - 1 < LEAST ? inMemory : Math.max(inMemory, stored);
      Lookup lookup = run(cache, request, content);
      assertEquals(expected, lookup.cachedTokens(), "request " + i + " of seed " + seed);
      assertEquals(
          Math.max(0, expected - inMemory / BLOCK * BLOCK) * (expected > inMemory ? 1 : 0),
          lookup.storeTokens(),
          "request " + i + " of seed " + seed);
      assertTrue(cache.flush(LONG));
      if (prompt.length >= LEAST) {
        for (int end = BLOCK; end <= prompt.length; end += BLOCK) {
          committed.add(list(prompt, end));
        }
      }
      cache.checkIntegrity();
    }
    assertEquals(committed.size(), store.contents().values());
    caches.forEach(RadixKvCache::close);
  }

  private static List<Integer> list(int[] tokens, int length) {
    return Arrays.stream(tokens, 0, length).boxed().toList();
  }

  /** Whatever a store does, nobody attends to anything wrong, and all counts add up. */
  @ParameterizedTest
  @EnumSource
  void aStoreThatDoesEverythingWrongCostsHitsOnly(When when) {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    FakeStore store = new FakeStore();
    store.answer =
        (key, value) -> {
          synchronized (random) {
            return wrong(value, random);
          }
        };
    store.taking =
        (key, value) -> {
          synchronized (random) {
            return switch (random.nextInt(8)) {
              case 0 -> CompletableFuture.failedFuture(new IllegalStateException("no"));
              case 1 -> throw new IllegalArgumentException("never");
              default -> CompletableFuture.completedFuture(null);
            };
          }
        };
    Content content = new Content(layout(KvDtype.F32));
    Prompts prompts = new Prompts(random);
    long read = 0;
    long storeTokens = 0;
    RadixKvCache cache = cache(store, KvDtype.F32, 40, when, Duration.ofMillis(5));
    for (int i = 0; i < 300; i++) {
      if (i % 25 == 24) {
        read += checkCounts(cache.stats());
        cache.close();
        cache = cache(store, KvDtype.F32, 40, when, Duration.ofMillis(5));
      }
      int[] prompt;
      synchronized (random) {
        prompt = prompts.next();
      }
      if (prompt.length <= 30 * BLOCK) {
        try {
          storeTokens += run(cache, KvRequest.of(prompt), content).storeTokens();
          cache.checkIntegrity();
        } catch (RuntimeException e) {
          throw new AssertionError("request " + i + " of seed " + seed, e);
        }
      }
    }
    read += checkCounts(cache.stats());
    cache.close();
    assertTrue(storeTokens > 0, "something came from the store, with seed " + seed);
    assertTrue(read >= storeTokens, read + " read and " + storeTokens + " used, seed " + seed);
  }

  private static CompletableFuture<byte[]> wrong(byte[] value, Random random) {
    switch (random.nextInt(16)) {
      case 0:
        return CompletableFuture.failedFuture(new IllegalStateException("no"));
      case 1:
        return new CompletableFuture<>(); // for ever
      case 2:
        return CompletableFuture.completedFuture(null);
      case 3:
        throw new IllegalArgumentException("never");
      case 4:
        byte[] flipped = value == null ? new byte[3] : value.clone();
        flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
        return CompletableFuture.completedFuture(flipped);
      case 5:
        int length = value == null ? 0 : random.nextInt(value.length);
        return CompletableFuture.completedFuture(
            value == null ? new byte[1] : Arrays.copyOf(value, length));
      default:
        return CompletableFuture.completedFuture(value);
    }
  }

  /** The tokens read. */
  private static long checkCounts(CacheStats stats) {
    StoreStats store = stats.store().orElseThrow();
    CacheStats.Lookups lookups = stats.lookups();
    assertTrue(lookups.storeTokens() <= store.hitTokens());
    assertTrue(lookups.cachedTokens() <= lookups.promptTokens());
    assertTrue(store.hitTokens() <= store.askedTokens());
    assertTrue(store.hits() <= store.asked());
    assertTrue(store.asked() + store.notOpen() + store.slower() <= lookups.count());
    return store.hitTokens();
  }
}
