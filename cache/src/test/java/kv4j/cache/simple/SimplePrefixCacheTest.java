package kv4j.cache.simple;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import kv4j.cache.CacheStats;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCaches;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.Lookup.Reason;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SimplePrefixCacheTest {
  private static final KvLayout LAYOUT = new KvLayout(3, 2, 4, 16, KvDtype.F32);

  /** Keys and values of 3 layers, 2 heads of 4 floats. */
  private static final long TOKEN_BYTES = 3 * 2 * 2 * 4 * 4;

  private static SimplePrefixCache cacheOf(long maxBytes) {
    return new SimplePrefixCache(KvCacheConfig.of(LAYOUT, maxBytes));
  }

  private static int[] prompt(int seed, int tokens) {
    return new Random(seed).ints(tokens, 0, 1000).toArray();
  }

  /** A key or value that tells its token, position, layer and dimension; values are negative. */
  private static float[] rows(int[] tokens, int from, int to, int layer, int sign) {
    int width = LAYOUT.width();
    float[] rows = new float[(to - from) * width];
    for (int i = 0; i < rows.length; i++) {
      int position = from + i / width;
      rows[i] = sign * (tokens[position] + 1000f * position + 0.25f * layer + i % width / 64f);
    }
    return rows;
  }

  /** What a forward pass does to a sequence: all the rest of the tokens, all layers. */
  private static KvSpans pass(KvSequence sequence, int[] tokens) {
    int from = sequence.begin();
    KvSpans spans = null;
    for (int layer = 0; layer < LAYOUT.layers(); layer++) {
      spans =
          sequence.update(
              layer,
              rows(tokens, from, tokens.length, layer, 1),
              rows(tokens, from, tokens.length, layer, -1),
              0,
              tokens.length - from);
    }
    return spans;
  }

  private static void assertHolds(int[] tokens, KvSpans spans) {
    assertEquals(tokens.length, spans.length());
    for (int layer = 0; layer < LAYOUT.layers(); layer++) {
      float[] keys = new float[tokens.length * LAYOUT.width()];
      float[] values = new float[keys.length];
      for (int span = 0, row = 0; span < spans.count(); row += spans.tokens(span++)) {
        spans.block(span).read(layer, 0, spans.tokens(span), keys, values, row);
      }
      assertArrayEquals(rows(tokens, 0, tokens.length, layer, 1), keys);
      assertArrayEquals(rows(tokens, 0, tokens.length, layer, -1), values);
    }
  }

  /** A whole request: open, prefill, commit, close. */
  private static Lookup request(KvCache cache, KvRequest request) {
    try (KvSequence sequence = cache.open(request)) {
      assertEquals(sequence.lookup().cachedTokens(), sequence.length());
      assertHolds(request.prompt(), pass(sequence, request.prompt()));
      sequence.commit(request.prompt());
      return sequence.lookup();
    }
  }

  private static Lookup request(KvCache cache, int[] prompt, int shared) {
    return request(cache, new KvRequest(prompt, shared, "", ""));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 15, 16, 17, 31, 32, 33, 39, 40})
  void keysAndValuesComeBackForEveryCut(int shared) {
    SimplePrefixCache cache = cacheOf(1 << 20);
    int[] first = prompt(1, 40);
    assertEquals(new Lookup(40, 0, Reason.COLD, ""), request(cache, first, shared));
    int[] second = prompt(2, 40);
    System.arraycopy(first, 0, second, 0, shared);
    int cached = Math.min(shared, 39); // one token is left to compute
    Reason reason = cached == 39 ? Reason.FULL : Reason.END_OF_STORED;
    assertEquals(new Lookup(40, cached, reason, ""), request(cache, second, shared));
    assertEquals(
        stats(2, 1, 80, cached, 3, shared * TOKEN_BYTES, Map.of(Reason.COLD, 1L, reason, 1L)),
        cache.stats());
    assertEquals(shared * TOKEN_BYTES, SimplePrefixCache.bytesForPrefix(LAYOUT, shared));
  }

  @Test
  void aPromptOfOneTokenIsComputed() {
    SimplePrefixCache cache = cacheOf(1 << 20);
    request(cache, new int[] {5}, 1);
    assertEquals(new Lookup(1, 0, Reason.FULL, ""), request(cache, new int[] {5}, 1));
  }

  @Test
  void sequencesDoNotShareBlocks() {
    SimplePrefixCache cache = cacheOf(1 << 20);
    int[] prompt = prompt(1, 40);
    request(cache, prompt, 32);
    try (KvSequence a = cache.open(new KvRequest(prompt, 32, "", ""));
        KvSequence b = cache.open(new KvRequest(prompt, 32, "", ""))) {
      KvSpans spansOfA = pass(a, prompt);
      int[] other = prompt.clone();
      Arrays.fill(other, 32, 40, 7);
      assertHolds(other, pass(b, other));
      assertHolds(prompt, spansOfA);
      assertNotSame(spansOfA.block(0), pass(cache.open(KvRequest.of(prompt)), prompt).block(0));
      cache.close();
      assertHolds(prompt, spansOfA);
    }
  }

  @Test
  void tokensAreComparedExactly() {
    SimplePrefixCache cache = cacheOf(1 << 20);
    request(cache, new int[] {0, 31, 9}, 2);
    assertEquals(Reason.COLD, request(cache, new int[] {1, 0, 9}, 2).reason());
    assertEquals(2, request(cache, new int[] {0, 31, 8}, 2).cachedTokens());
    assertEquals(Reason.COLD, request(cache, new int[] {0, 31, 8}, 1).reason());
    request(cache, new int[] {31, 0, 9}, 2);
    assertEquals(Reason.COLD, request(cache, new int[] {0, 1, 9}, 2).reason());
  }

  @Test
  void namespacesAndModelsAreApart() {
    SimplePrefixCache cache = cacheOf(1 << 20);
    int[] prompt = prompt(1, 20);
    request(cache, new KvRequest(prompt, 10, "a", "m"));
    assertEquals(10, request(cache, new KvRequest(prompt, 10, "a", "m")).cachedTokens());
    Lookup elsewhere = new Lookup(20, 0, Reason.OTHER_NAMESPACE, "");
    assertEquals(elsewhere, request(cache, new KvRequest(prompt, 10, "b", "m")));
    assertEquals(elsewhere, request(cache, new KvRequest(prompt, 10, "a", "n")));
    assertEquals(10, request(cache, new KvRequest(prompt, 10, "b", "m")).cachedTokens());
  }

  @Test
  void withoutASharedPrefixNothingIsKept() {
    SimplePrefixCache cache = cacheOf(1 << 20);
    int[] prompt = prompt(1, 20);
    for (int i = 0; i < 2; i++) {
      assertEquals(new Lookup(20, 0, Reason.NOT_KEPT, ""), request(cache, prompt, 0));
    }
    assertEquals(0, cache.stats().storage().entries());
  }

  @Test
  void whatWasNotComputedIsNotStored() {
    SimplePrefixCache cache = cacheOf(1 << 20);
    int[] prompt = prompt(1, 20);
    try (KvSequence sequence = cache.open(new KvRequest(prompt, 10, "", ""))) {
      pass(sequence, Arrays.copyOf(prompt, 9));
      sequence.commit(prompt);
      assertEquals(0, cache.stats().storage().entries());
      pass(sequence, Arrays.copyOf(prompt, 10));
      sequence.commit(prompt);
      assertEquals(3, cache.stats().storage().entries());
    }
  }

  @Test
  void aMissingLayerMeansNoReuse() {
    SimplePrefixCache cache = cacheOf(1 << 20);
    int[] prompt = prompt(1, 20);
    KvRequest request = new KvRequest(prompt, 10, "", "");
    request(cache, request);
    cache.prefixes.store.remove(SimplePrefixCache.Prefix.of(request, prompt), 1);
    try (KvSequence sequence = cache.open(request)) {
      assertEquals(0, sequence.length());
      assertEquals(0, cache.stats().storage().entries(), "the other layers are of no use");
    }
    request(cache, request);
    assertEquals(10, request(cache, request).cachedTokens());
  }

  @Test
  void aPrefixExpiresWhole() {
    AtomicLong now = new AtomicLong();
    SimplePrefixCache cache =
        new SimplePrefixCache(
            KvCacheConfig.of(LAYOUT, 1 << 20)
                .withTimeToLive(Duration.ofNanos(1000), false)
                .withTicker(now::get));
    int[] prompt = prompt(1, 20);
    request(cache, prompt, 10);
    now.set(999);
    assertEquals(10, request(cache, prompt, 10).cachedTokens());
    now.set(1000);
    assertEquals(0, cache.stats().storage().entries());
    assertEquals(Map.of(Removal.EXPIRED, 3L), cache.stats().storage().removed());
    assertEquals(Reason.COLD, cache.open(new KvRequest(prompt, 10, "other", "")).lookup().reason());
    assertEquals(new Lookup(20, 0, Reason.EXPIRED, ""), request(cache, prompt, 10));
    assertEquals(10, request(cache, prompt, 10).cachedTokens());
  }

  /** Of a cache that has removed nothing, so that what it keeps is the most it ever kept. */
  private static CacheStats stats(
      long lookups,
      long hits,
      long promptTokens,
      long cachedTokens,
      long entries,
      long bytes,
      Map<Reason, Long> reasons) {
    return new CacheStats(
        new CacheStats.Lookups(lookups, hits, promptTokens, cachedTokens, 0, reasons, 0, 0),
        new CacheStats.Storage(entries, bytes, bytes, 0, 0, entries, Map.of(), 0, 0));
  }

  @Test
  void whatDoesNotFitIsNotStoredAtAll() {
    SimplePrefixCache cache = cacheOf(10 * TOKEN_BYTES);
    request(cache, prompt(1, 20), 11);
    assertEquals(0, cache.stats().storage().entries());
    assertEquals(1, cache.stats().storage().noRoom());
    assertEquals(
        new Lookup(20, 0, Reason.NO_ROOM, "its 11 tokens need 2112 of 1920 bytes"),
        request(cache, prompt(1, 20), 11));
    request(cache, prompt(1, 20), 10);
    assertEquals(10, request(cache, prompt(1, 20), 10).cachedTokens());
  }

  @Test
  void closingDropsEverything() {
    SimplePrefixCache cache = cacheOf(1 << 20);
    request(cache, prompt(1, 20), 10);
    cache.close();
    CacheStats.Storage stats = cache.stats().storage();
    assertEquals(0, stats.entries());
    assertEquals(0, stats.bytes());
    assertEquals(10 * TOKEN_BYTES, stats.peakBytes());
    assertEquals(Map.of(Removal.EXPLICIT, 3L), stats.removed());
  }

  /** Against a model of which prefixes a least-recently-used list of whole ones would keep. */
  @Test
  void prefixesUsedLongestAgoMakeRoomWhole() {
    long seed = 20240607;
    Random random = new Random(seed);
    int limit = 60;
    SimplePrefixCache cache = cacheOf(limit * TOKEN_BYTES);
    Deque<Integer> model = new ArrayDeque<>(); // lengths of kept prefixes, oldest first
    Set<Integer> stored = new HashSet<>();
    long evicted = 0;
    for (int i = 0; i < 400; i++) {
      int shared = 5 + 3 * Math.min(random.nextInt(12), random.nextInt(12));
      Lookup lookup = request(cache, prompt(shared, shared + 3), shared);
      boolean hit = model.remove(shared);
      Reason missed = stored.add(shared) ? Reason.COLD : Reason.EVICTED;
      while (tokens(model) + shared > limit) {
        model.removeFirst();
        evicted++;
      }
      model.addLast(shared);
      String where = "seed " + seed + ", request " + i;
      assertEquals(hit ? shared : 0, lookup.cachedTokens(), where);
      assertEquals(hit ? Reason.END_OF_STORED : missed, lookup.reason(), where);
      CacheStats.Storage stats = cache.stats().storage();
      assertEquals(tokens(model) * TOKEN_BYTES, stats.bytes(), where);
      assertEquals(3 * model.size(), stats.entries(), where);
      assertTrue(stats.peakBytes() <= limit * TOKEN_BYTES, where);
      assertEquals(evicted == 0 ? Map.of() : Map.of(Removal.SIZE, 3 * evicted), stats.removed());
    }
    assertTrue(evicted > 100 && cache.stats().lookups().hits() > 40, "evicted " + evicted);
  }

  private static int tokens(Collection<Integer> lengths) {
    return lengths.stream().mapToInt(Integer::intValue).sum();
  }

  @Test
  void isFoundByName() {
    try (KvCache cache =
        KvCaches.create("simple", KvCacheConfig.of(LAYOUT, 1000), getClass().getClassLoader())) {
      assertEquals(SimplePrefixCache.class, cache.getClass());
      assertEquals(LAYOUT, cache.layout());
    }
  }
}
