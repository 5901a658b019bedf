package kv4j.inference;

import static kv4j.inference.EngineTestKit.stockLogits;
import static kv4j.inference.RadixKit.NEW_TOKENS;
import static kv4j.inference.RadixKit.blocks;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import kv4j.cache.CacheStats;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.Lookup.Reason;
import kv4j.cache.radix.RadixKvCache;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Through the model, whatever happens to the stored blocks before and during a request: it gives
 * the logits and tokens of a run that shares nothing, and finds as many tokens as can be worked out
 * on paper.
 */
class RadixEndToEndTest {
  private static final int PREFIX = 40;
  private static final int PLENTY = 10_000;

  private final SplittableRandom random = new SplittableRandom(5);
  private final RadixKit kit = new RadixKit(11);
  private final int[] prefix = kit.randomTokens(random, PREFIX);

  @AfterEach
  void close() {
    kit.close();
  }

  private int[] others(int count) {
    return kit.randomTokens(random, count);
  }

  @Test
  void theRunThatAllElseIsHeldAgainstIsTheStockSessions() {
    RadixKit.Run alone = kit.alone(prefix);
    float[][] expected = stockLogits(kit.model, alone.tokens);
    for (int i = 0; i < NEW_TOKENS; i++) {
      EngineTestKit.assertLogits(expected[PREFIX - 1 + i], alone.logits[i], "new token " + i);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 64})
  void everyCutPoint(int blockTokens) {
    try (RadixKvCache cache = new RadixKvCache(kit.config(blockTokens, PLENTY))) {
      int[] stored = kit.run(0, cache, prefix);
      int computed = PREFIX + NEW_TOKENS - 1;
      int expectedBlocks = blocks(computed, blockTokens);
      for (int cut = 0; cut <= computed; cut++) {
        kit.run(cut, cache, kit.leaving(stored, cut, others(3)));
        int length = cut + 3 + NEW_TOKENS - 1;
        expectedBlocks += blocks(length, blockTokens) - cut / blockTokens;
      }
      expectedBlocks -= computed % blockTokens == 0 ? 0 : 1; // the last took the first's tail over
      assertEquals(expectedBlocks, cache.stats().storage().entries());
      assertEquals(
          cache.stats().storage().entries() * cache.layout().bytesPerBlock(),
          cache.stats().storage().bytes());
      for (int cut = 1; cut <= PREFIX; cut++) { // and with nothing new to ask
        kit.run(cut - 1, cache, Arrays.copyOf(prefix, cut));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 64})
  void evictionAmidARequest(int blockTokens) {
    int budget = blocks(PREFIX, blockTokens) + 4;
    int cut = 36;
    try (RadixKvCache cache = new RadixKvCache(kit.config(blockTokens, budget))) {
      int[] stored = kit.run(0, cache, prefix);
      int[] prompt = kit.leaving(stored, cut, others(6));
      try (RadixKit.Run running = kit.open(cache, prompt)) {
        assertEquals(cut, running.cached());
        running.prefill(cut + 2);
        for (int i = 0; i < 6; i++) {
          kit.run(0, cache, others(62)); // each takes what is not pinned
          assertTrue(cache.stats().storage().bytes() <= budget * cache.layout().bytesPerBlock());
        }
        int pinned = cut / blockTokens;
        assertEquals(
            pinned * cache.layout().bytesPerBlock(), cache.stats().storage().pinnedBytes());
        long evicted = cache.stats().storage().removed(Removal.SIZE);
        assertTrue(evicted >= blocks(PREFIX, blockTokens) - pinned, evicted + " evicted");
        int left = pinned * blockTokens; // of the prefix: its last tokens were not pinned
        try (RadixKit.Run probe = kit.open(cache, stored)) {
          assertEquals(left, probe.cached());
        }
        running.finish();
        running.checkAndCommit();
        cache.checkIntegrity();
        kit.run(prompt.length + NEW_TOKENS - 1, cache, running.tokens);
      }
      assertEquals(0, cache.stats().storage().pinnedBytes());
      cache.checkIntegrity();
    }
  }

  /** Conversations that take turns, none of which has room beside the others. */
  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 64})
  void manyRequestsInLittleRoom(int blockTokens) {
    int budget = Math.max(3, 60 / blockTokens);
    try (RadixKvCache cache = new RadixKvCache(kit.config(blockTokens, budget))) {
      int[][] texts = {prefix, others(30), others(50), others(20), others(10)};
      for (int i = 0; i < 40; i++) {
        int which = random.nextInt(texts.length);
        int keep = random.nextInt(texts[which].length) + 1;
        int[] prompt = EngineTestKit.concat(Arrays.copyOf(texts[which], keep), others(4));
        try (RadixKit.Run run = kit.open(cache, prompt)) {
          run.finish();
          run.checkAndCommit();
          texts[which] = Arrays.copyOf(run.tokens, Math.min(run.tokens.length, 90));
        }
        cache.checkIntegrity();
      }
      CacheStats stats = cache.stats();
      assertTrue(stats.storage().removed(Removal.SIZE) > 10, stats.storage().removed().toString());
      assertTrue(stats.lookups().hits() > 5, stats.lookups().hits() + " hits");
      assertTrue(stats.storage().peakBytes() <= budget * cache.layout().bytesPerBlock());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 64})
  void expiryBetweenAndAmidRequests(int blockTokens) {
    AtomicLong clock = new AtomicLong();
    Duration ttl = Duration.ofSeconds(10);
    long step = ttl.toNanos() * 6 / 10;
    try (RadixKvCache cache =
        new RadixKvCache(
            kit.config(blockTokens, PLENTY).withTimeToLive(ttl, true).withTicker(clock::get))) {
      int[] stored = kit.run(0, cache, prefix);
      for (int i = 0; i < 3; i++) { // the same again and again keeps it alive
        clock.addAndGet(step);
        kit.run(PREFIX - 1, cache, prefix);
      }
      assertEquals(0, cache.stats().storage().removed(Removal.EXPIRED));

      int cut = 36;
      int[] prompt = kit.leaving(stored, cut, others(6));
      try (RadixKit.Run running = kit.open(cache, prompt)) {
        assertEquals(cut, running.cached());
        running.prefill(cut + 2);
        clock.addAndGet(2 * step);
        int pinned = cut / blockTokens;
        kit.run(pinned * blockTokens, cache, stored); // the rest is overdue
        assertEquals(
            blocks(PREFIX + NEW_TOKENS - 1, blockTokens) - pinned,
            cache.stats().storage().removed(Removal.EXPIRED));
        clock.addAndGet(2 * step);
        running.finish();
        running.checkAndCommit();
        cache.checkIntegrity();
      }
      kit.run(prompt.length + NEW_TOKENS - 1, cache, kit.alone(prompt).tokens);
      clock.addAndGet(2 * step);
      try (RadixKit.Run late = kit.open(cache, prompt)) {
        assertEquals(0, late.cached());
        assertEquals(Reason.EXPIRED, late.sequence.lookup().reason());
      }
      assertEquals(0, cache.stats().storage().entries());
    }
  }

  @Test
  void aHitNeedNotKeepItAlive() {
    AtomicLong clock = new AtomicLong();
    Duration ttl = Duration.ofSeconds(10);
    try (RadixKvCache cache =
        new RadixKvCache(
            kit.config(16, PLENTY).withTimeToLive(ttl, false).withTicker(clock::get))) {
      kit.run(0, cache, prefix);
      clock.addAndGet(ttl.toNanos() - 1);
      kit.run(PREFIX - 1, cache, prefix);
      clock.addAndGet(1);
      kit.run(0, cache, prefix);
      assertEquals(3, cache.stats().storage().removed(Removal.EXPIRED));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 64})
  void anAbortedRequestLeavesWhatItComputedIfItIsCommitted(int blockTokens) {
    try (RadixKvCache cache = new RadixKvCache(kit.config(blockTokens, PLENTY))) {
      try (RadixKit.Run dropped = kit.open(cache, prefix)) {
        dropped.prefill(30);
      }
      assertEquals(0, cache.stats().storage().entries());
      try (RadixKit.Run aborted = kit.open(cache, prefix)) {
        assertEquals(0, aborted.cached());
        aborted.prefill(23);
        aborted.sequence.commit(aborted.tokens);
        aborted.sequence.close();
        aborted.sequence.commit(aborted.tokens); // too late, and harmless
      }
      cache.checkIntegrity();
      assertEquals(blocks(23, blockTokens), cache.stats().storage().entries());
      kit.run(23, cache, prefix);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 64})
  void aCommitInTheMiddle(int blockTokens) {
    try (RadixKvCache cache = new RadixKvCache(kit.config(blockTokens, PLENTY))) {
      int[] stored;
      try (RadixKit.Run running = kit.open(cache, prefix)) {
        running.prefill(23);
        running.sequence.commit(running.tokens);
        cache.checkIntegrity();
        kit.run(20, cache, kit.leaving(prefix, 20, others(5)));
        kit.run(23, cache, kit.leaving(prefix, 23, others(5)));
        running.finish();
        running.checkAndCommit();
        stored = running.tokens;
      }
      cache.checkIntegrity();
      assertEquals(
          blocks(PREFIX + NEW_TOKENS - 1, blockTokens)
              + blocks(20 + 5 + NEW_TOKENS - 1, blockTokens)
              - 20 / blockTokens
              + blocks(23 + 5 + NEW_TOKENS - 1, blockTokens)
              - 23 / blockTokens,
          cache.stats().storage().entries());
      kit.run(PREFIX + NEW_TOKENS - 1, cache, stored);
    }
  }

  /**
   * After a commit nothing is pinned: what a request goes on with may leave the cache meanwhile.
   */
  @Test
  void evictionAfterACommitInTheMiddle() {
    try (RadixKvCache cache = new RadixKvCache(kit.config(16, 4))) {
      try (RadixKit.Run running = kit.open(cache, prefix)) {
        running.prefill(32);
        running.sequence.commit(running.tokens);
        kit.run(0, cache, others(60)); // takes all four blocks
        assertEquals(2, cache.stats().storage().removed(Removal.SIZE));
        running.finish();
        running.checkAndCommit();
      }
      cache.checkIntegrity();
      kit.run(PREFIX - 1, cache, prefix);
    }
  }
}
