package kv4j.inference;

import static kv4j.inference.EngineTestKit.inParallel;
import static kv4j.inference.RadixKit.NEW_TOKENS;
import static kv4j.inference.RadixKit.blocks;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.KvRequest;
import kv4j.cache.Lookup.Reason;
import kv4j.cache.radix.RadixKvCache;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who shares stored blocks through the model, who does not, and what a named pin keeps. */
class RadixSharingTest {
  private static final int PREFIX = 40;
  private static final int COMPUTED = PREFIX + NEW_TOKENS - 1;

  private final SplittableRandom random = new SplittableRandom(7);
  private final RadixKit kit = new RadixKit(12);
  private final int[] prefix = kit.randomTokens(random, PREFIX);

  @AfterEach
  void close() {
    kit.close();
  }

  private RadixKvCache cache(int blockTokens, int blocks) {
    return new RadixKvCache(kit.config(blockTokens, blocks));
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 64})
  void twoThreadsThatComputeAPrefixAtOnceEndWithOneCopy(int blockTokens) {
    try (RadixKvCache cache = cache(blockTokens, 1_000)) {
      int[] one = kit.leaving(prefix, PREFIX, 1, 5, 9);
      int[] other = kit.leaving(prefix, PREFIX, 2, 6, 10);
      atOnce(cache, 0, one, other);
      int length = PREFIX + 3 + NEW_TOKENS - 1;
      int shared = PREFIX / blockTokens;
      int expected = shared + 2 * (blocks(length, blockTokens) - shared);
      assertEquals(expected, cache.stats().storage().entries());

      atOnce(cache, one.length - 1, one, one); // the same prompt, and nothing new to keep
      assertEquals(expected, cache.stats().storage().inserted());
      atOnce(cache, PREFIX, kit.leaving(prefix, PREFIX, 3, 3), kit.leaving(prefix, PREFIX, 4, 4));
    }
  }

  /** Both look before either commits. */
  private void atOnce(RadixKvCache cache, int expectedCached, int[] one, int[] other) {
    CyclicBarrier barrier = new CyclicBarrier(2);
    inParallel(
        List.of(
            () -> oneOfTwo(cache, expectedCached, one, barrier),
            () -> oneOfTwo(cache, expectedCached, other, barrier)));
    cache.checkIntegrity();
    assertEquals(0, cache.stats().storage().pinnedBytes());
  }

  private void oneOfTwo(
      RadixKvCache cache, int expectedCached, int[] prompt, CyclicBarrier barrier) {
    try (RadixKit.Run run = kit.open(cache, prompt)) {
      await(barrier);
      assertEquals(expectedCached, run.cached());
      run.finish();
      await(barrier);
      run.checkAndCommit();
    }
  }

  @Test
  void twoThreadsWithATinyBudgetGetWhatEachGetsAlone() {
    try (RadixKvCache cache = cache(7, 8)) {
      Runnable[] threads = new Runnable[2];
      for (int i = 0; i < threads.length; i++) {
        SplittableRandom own = random.split();
        threads[i] =
            () -> {
              for (int n = 0; n < 30; n++) {
                int cut = own.nextInt(PREFIX + 1);
                int[] prompt =
                    EngineTestKit.concat(Arrays.copyOf(prefix, cut), kit.randomTokens(own, 4));
                try (RadixKit.Run run = kit.open(cache, prompt)) {
                  run.finish();
                  run.checkAndCommit();
                }
                cache.checkIntegrity();
              }
            };
      }
      inParallel(List.of(threads));
      assertTrue(cache.stats().storage().removed(Removal.SIZE) > 10, cache.stats().toString());
      assertTrue(cache.stats().lookups().hits() > 10, cache.stats().toString());
      assertTrue(cache.stats().storage().peakBytes() <= 8 * cache.layout().bytesPerBlock());
      assertEquals(0, cache.stats().storage().pinnedBytes());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 64})
  void namespacesAndSaltsSeeOnlyTheirOwn(int blockTokens) {
    try (RadixKvCache cache = cache(blockTokens, 1_000)) {
      KvRequest one = kit.request("one", prefix);
      KvRequest other = kit.request("other", prefix);
      KvRequest salted = one.withSalt("salt");
      for (KvRequest request : List.of(one, other, salted, one.withSalt("other salt"))) {
        kit.run(0, cache, request);
        kit.run(PREFIX - 1, cache, request); // the same again does find it
      }
      assertEquals(4 * blocks(COMPUTED, blockTokens), cache.stats().storage().entries());
      assertEquals( // only where there is no salt on either side is a miss told of the other
          Map.of(Reason.FULL, 4L, Reason.COLD, 3L, Reason.OTHER_NAMESPACE, 1L),
          cache.stats().lookups().reasons());
    }
  }

  @Test
  void modelsOfOneShapeSeeOnlyTheirOwn() {
    try (RadixKit second = new RadixKit(13);
        RadixKvCache cache = cache(16, 100)) {
      assertEquals(cache.layout(), second.config(16, 1).layout());
      int[] ours = kit.run(0, cache, prefix);
      int[] theirs = second.run(0, cache, prefix);
      assertTrue(!Arrays.equals(ours, theirs), "the models differ, but not in what they say");
      kit.run(COMPUTED, cache, ours);
      second.run(COMPUTED, cache, theirs);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16})
  void aPinMadeAmidARequestOutlivesIt(int blockTokens) {
    int budget = blocks(PREFIX, blockTokens) + 8;
    int whole = PREFIX / blockTokens * blockTokens;
    try (RadixKvCache cache = cache(blockTokens, budget)) {
      KvRequest system = kit.request("", prefix);
      try (RadixKit.Run running = kit.open(cache, concat(prefix, 8))) {
        running.prefill(PREFIX);
        assertEquals(0, cache.pin("system", system)); // nothing is stored before a commit
        running.sequence.commit(running.tokens);
        assertEquals(whole, cache.pin("system", system));
        running.finish();
        running.checkAndCommit();
      }
      press(cache);
      assertEquals(
          whole / blockTokens * cache.layout().bytesPerBlock(),
          cache.stats().storage().pinnedBytes());
      assertEquals(Map.of("system", whole), cache.pinned());
      kit.run(whole, cache, concat(prefix, 9));
      assertTrue(cache.unpin("system"));
      press(cache);
      kit.run(0, cache, concat(prefix, 9));
    }
  }

  private static int[] concat(int[] tokens, int more) {
    return EngineTestKit.concat(tokens, new int[] {more});
  }

  /** Requests that take all the room there is. */
  private void press(RadixKvCache cache) {
    long before = cache.stats().storage().removed(Removal.SIZE);
    for (int i = 0; i < 12; i++) {
      kit.run(0, cache, kit.randomTokens(random, 62));
    }
    assertTrue(cache.stats().storage().removed(Removal.SIZE) > before);
  }
}
