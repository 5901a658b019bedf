package kv4j.cache.radix;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.IntStream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheMetrics;
import kv4j.cache.CacheStats;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.EvictionPolicy;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCaches;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.Lookup.Reason;
import kv4j.cache.TreePrinter;
import kv4j.cache.TreeSnapshot;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The cache over real blocks, whose keys and values say which token they were computed for. */
class RadixKvCacheTest {
  private static final int LAYERS = 2;

  private static KvLayout layout(int blockTokens) {
    return new KvLayout(LAYERS, 2, 3, blockTokens, KvDtype.F32);
  }

  private static KvCacheConfig config(int blockTokens, int blocks) {
    KvLayout layout = layout(blockTokens);
    return KvCacheConfig.of(layout, blocks * layout.bytesPerBlock());
  }

  private static int[] run(int first, int length) {
    return IntStream.range(first, first + length).toArray();
  }

  private static int[] join(int[] a, int... b) {
    int[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static float key(int token, int position, int layer, int element) {
    return token * 64 + position % 64 + layer / 4f + element / 64f;
  }

  /**
   * Computes a sequence up to a length in passes of at most {@code chunk} tokens, and checks it.
   */
  private static KvSpans compute(KvSequence sequence, int[] tokens, int length, int chunk) {
    int width = 6;
    KvSpans spans = null;
    while (sequence.length() < length) {
      int from = sequence.begin();
      int count = Math.min(chunk, length - from);
      for (int layer = 0; layer < LAYERS; layer++) {
        float[] keys = new float[count * width];
        float[] values = new float[count * width];
        for (int i = 0; i < keys.length; i++) {
          int position = from + i / width;
          keys[i] = key(tokens[position], position, layer, i % width);
          values[i] = -keys[i];
        }
        spans = sequence.update(layer, keys, values, 0, count);
        check(spans, tokens, layer);
      }
    }
    return spans;
  }

  private static void check(KvSpans spans, int[] tokens, int layer) {
    int position = 0;
    for (int span = 0; span < spans.count(); span++) {
      int count = spans.tokens(span);
      float[] keys = new float[count * 6];
      float[] values = new float[count * 6];
      spans.block(span).read(layer, 0, count, keys, values, 0);
      for (int i = 0; i < keys.length; i++) {
        float expected = key(tokens[position + i / 6], position + i / 6, layer, i % 6);
        assertEquals(expected, keys[i], "key of token " + (position + i / 6));
        assertEquals(-expected, values[i], "value of token " + (position + i / 6));
      }
      position += count;
    }
    assertEquals(spans.length(), position);
  }

  private static Lookup request(RadixKvCache cache, KvRequest request) {
    try (KvSequence sequence = cache.open(request)) {
      compute(sequence, request.prompt(), request.prompt().length, 5);
      sequence.commit(request.prompt());
      return sequence.lookup();
    }
  }

  private static Lookup request(RadixKvCache cache, int... prompt) {
    return request(cache, KvRequest.of(prompt));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 64})
  void everyCutPointGivesTheKeysAndValuesOfItsTokens(int blockTokens) {
    RadixKvCache cache = new RadixKvCache(config(blockTokens, 2_000));
    int[] stored = run(0, 70);
    request(cache, stored);
    for (int cut = 0; cut < stored.length; cut++) {
      int[] prompt = join(Arrays.copyOf(stored, cut), run(1000 + 20 * cut, 9));
      assertEquals(cut, request(cache, prompt).cachedTokens());
    }
    for (int cut = 1; cut < stored.length; cut++) {
      int[] prompt = join(Arrays.copyOf(stored, cut), run(1000 + 20 * cut, 9));
      assertEquals(cut + 8, request(cache, prompt).cachedTokens());
    }
    cache.checkIntegrity();
  }

  @Test
  void blocksAreAdoptedAndHandedOutWithoutCopying() {
    RadixKvCache cache = new RadixKvCache(config(4, 10));
    List<KvBlock> computed = new ArrayList<>();
    try (KvSequence first = cache.open(KvRequest.of(run(0, 10)))) {
      KvSpans spans = compute(first, run(0, 10), 10, 10);
      IntStream.range(0, 3).forEach(i -> computed.add(spans.block(i)));
      first.commit(run(0, 10));
    }
    try (KvSequence second = cache.open(KvRequest.of(run(0, 12)))) {
      KvSpans spans = compute(second, run(0, 12), 12, 12);
      assertSame(computed.get(0), spans.block(0));
      assertSame(computed.get(1), spans.block(1));
      assertTrue(computed.get(2) != spans.block(2), "a partly filled block is not shared");
    }
    assertEquals(1, cache.stats().lookups().partialCopies());
    cache.checkIntegrity();
  }

  @Test
  void aCommitAmidARequestSharesItAtOnceAndTheRequestGoesOn() {
    RadixKvCache cache = new RadixKvCache(config(4, 10));
    try (KvSequence running = cache.open(KvRequest.of(run(0, 6)))) {
      compute(running, run(0, 6), 6, 6);
      running.commit(run(0, 6));
      assertEquals(6, request(cache, join(run(0, 6), 90, 91)).cachedTokens());
      compute(running, run(0, 13), 13, 1);
      running.commit(run(0, 13));
    }
    assertEquals(12, request(cache, run(0, 13)).cachedTokens());
    assertEquals(7, request(cache, join(run(0, 6), 90, 92)).cachedTokens());
    cache.checkIntegrity();
  }

  @Test
  void whatARunningRequestSharesIsFoundByOthersAndIsNotWrittenAnyMore() {
    RadixKvCache cache = new RadixKvCache(config(4, 6));
    try (KvSequence one = cache.open(KvRequest.of(run(0, 30)));
        KvSequence other = cache.open(KvRequest.of(run(0, 30)))) {
      compute(one, run(0, 30), 10, 3);
      assertEquals(8, one.commitPrefix(run(0, 30)));
      try (KvSequence late = cache.open(KvRequest.of(run(0, 30)))) {
        assertEquals(8, late.length());
      }
      compute(other, run(0, 30), 15, 4);
      assertEquals(12, other.commitPrefix(run(0, 30))); // of which it had computed 8 in vain
      KvSpans spans = compute(other, run(0, 30), 16, 1);
      assertSame(spans.block(1), compute(one, run(0, 30), 11, 1).block(1));
      for (int i = 1; i < 9; i++) {
        request(cache, run(100 * i, 24)); // takes all that is not held
      }
      assertEquals(12 * layout(4).bytesPerToken(), cache.stats().storage().pinnedBytes());
      compute(one, run(0, 30), 30, 5); // checks all that it sees
      compute(other, run(0, 30), 30, 5);
    }
    assertEquals(0, cache.stats().storage().pinnedBytes());
    cache.checkIntegrity();
  }

  @Test
  void whatRunsAndWhatIsKeptShareOneBudget() {
    RadixKvCache cache = new RadixKvCache(config(4, 6));
    long block = layout(4).bytesPerBlock();
    request(cache, run(0, 16)); // 4 of 6 blocks
    try (KvSequence one = cache.open(KvRequest.of(run(100, 30)));
        KvSequence other = cache.open(KvRequest.of(run(200, 30)))) {
      compute(one, run(100, 30), 10, 10); // takes 3, so that one of the four goes
      assertEquals(3 * block, cache.stats().storage().runningBytes());
      assertEquals(3 * block, cache.stats().storage().bytes());
      assertTrue(other.reserve(12)); // and the three that are left
      assertEquals(0, cache.stats().storage().bytes());
      assertEquals(6 * block, cache.stats().storage().runningBytes());
      assertTrue(one.reserve(2)); // in its last block
      assertTrue(!one.reserve(3));
      compute(other, run(200, 30), 8, 8);
      assertEquals(8, other.commitPrefix(run(200, 30)));
      assertEquals(2 * block, cache.stats().storage().bytes()); // what was set aside is given back
      assertEquals(3 * block, cache.stats().storage().runningBytes());
      assertTrue(one.reserve(3));
      compute(one, run(100, 30), 30, 5); // beyond the budget, but not refused
      one.commit(run(100, 30));
      assertEquals(6 * block, cache.stats().storage().bytes());
    }
    assertEquals(0, cache.stats().storage().runningBytes());
    cache.checkIntegrity();
  }

  @Test
  void aSequenceIsOpenedOnlyIfItsPromptFitsAndIsCountedOnce() {
    RadixKvCache cache = new RadixKvCache(config(4, 6));
    request(cache, run(0, 16)); // 4 of 6 blocks
    assertTrue(cache.canHold(24) && !cache.canHold(25));
    assertEquals(14, cache.cachedTokens(KvRequest.of(run(0, 15))).orElseThrow());
    KvRequest salted = KvRequest.of(run(0, 15)).withSalt("pepper");
    assertEquals(0, cache.cachedTokens(salted).orElseThrow());
    try (KvSequence one = cache.tryOpen(KvRequest.of(run(0, 20)), false).orElseThrow()) {
      assertEquals(16, one.lookup().cachedTokens());
      CacheStats before = cache.stats();
      assertEquals(2, before.lookups().count());
      assertEquals(layout(4).bytesPerBlock(), before.storage().runningBytes());
      assertTrue(cache.tryOpen(KvRequest.of(run(100, 5)), false).isEmpty()); // one block is left
      assertEquals(before, cache.stats());
      try (KvSequence again = cache.tryOpen(KvRequest.of(run(0, 14)), true).orElseThrow()) {
        assertEquals(13, again.length());
      }
      assertEquals(before, cache.stats());
    }
    assertEquals(0, cache.stats().storage().runningBytes());
    cache.checkIntegrity();
  }

  @Test
  void sequencesGoOnWhileTheirPrefixExpiresOrIsEvicted() {
    AtomicLong clock = new AtomicLong();
    KvCacheConfig config =
        config(4, 4).withTimeToLive(Duration.ofSeconds(1), true).withTicker(clock::get);
    RadixKvCache cache = new RadixKvCache(config);
    request(cache, run(0, 10));
    try (KvSequence sequence = cache.open(KvRequest.of(run(0, 12)))) {
      clock.addAndGet(Duration.ofMinutes(1).toNanos());
      for (int i = 1; i < 5; i++) {
        request(cache, run(100 * i, 16));
      }
      compute(sequence, run(0, 12), 12, 1); // checks all that it sees
      sequence.commit(run(0, 12));
    }
    assertEquals(11, request(cache, run(0, 12)).cachedTokens());
    cache.checkIntegrity();
  }

  @Test
  void countersMoveAsTheySay() {
    RadixKvCache cache = new RadixKvCache(config(4, 5));
    long block = layout(4).bytesPerBlock();
    request(cache, run(0, 10)); // 3 blocks
    request(cache, join(run(0, 9), 50, 51)); // 9 cached, 1 copy, 1 block more
    request(cache, run(100, 8)); // takes one
    request(cache, run(200, 24)); // 6 blocks, of which 5 have room
    CacheStats stats = cache.stats();
    CacheStats.Lookups lookups = stats.lookups();
    assertTrue(lookups.nanos() > 0);
    Map<Reason, Long> reasons = Map.of(Reason.COLD, 3L, Reason.DIVERGED, 1L);
    assertEquals(
        new CacheStats.Lookups(4, 1, 10 + 11 + 8 + 24, 9, 0, reasons, 1, lookups.nanos()), lookups);
    assertEquals(9 / 53.0, lookups.tokenHitRate());
    assertEquals(1 / 4.0, lookups.requestHitRate());
    CacheStats.Storage storage = stats.storage();
    assertTrue(storage.insertNanos() > 0);
    assertEquals(
        new CacheStats.Storage(
            5,
            5 * block,
            5 * block,
            0,
            0,
            3 + 1 + 2 + 5,
            Map.of(Removal.SIZE, 6L),
            1,
            storage.insertNanos()),
        storage);
    try (KvSequence open = cache.open(KvRequest.of(run(200, 24)))) {
      assertEquals(20, open.length());
      assertEquals(5 * block, cache.stats().storage().pinnedBytes());
      assertThrows(IllegalStateException.class, cache::clear);
    }
    cache.clear();
    assertEquals(0, cache.stats().storage().bytes());
    assertEquals(5L, cache.stats().storage().removed(Removal.EXPLICIT));
    cache.checkIntegrity();
  }

  @Test
  void prefixesArePinnedByName() {
    RadixKvCache cache = new RadixKvCache(config(4, 4));
    KvRequest system = KvRequest.of(run(0, 9)).withNamespace("tenant");
    assertEquals(0, cache.pin("system", system));
    request(cache, system);
    assertEquals(8, cache.pin("system", system));
    assertEquals(Map.of("system", 8), cache.pinned());
    for (int i = 1; i < 5; i++) {
      request(cache, run(100 * i, 16));
    }
    assertEquals(8, request(cache, system).cachedTokens());
    assertTrue(cache.unpin("system"));
    cache.checkIntegrity();
  }

  /** The run forks amid a block, so that its last tokens are in blocks of those behind it. */
  @Test
  void aRunTellsHowLargeItsKeysAndValuesAre() {
    RadixKvCache cache = new RadixKvCache(config(4, 20));
    request(cache, KvRequest.of(join(run(0, 6), 50, 51)).withLabel("first"));
    request(cache, KvRequest.of(join(run(0, 6), 60, 61)).withLabel("second"));
    TreeSnapshot.Run shared = cache.snapshot().orElseThrow().runs().get(1);
    assertEquals(4, shared.start(), "what follows the whole block");
    for (TreeSnapshot.Run run : cache.snapshot().orElseThrow().runs()) {
      RunMagnitudes magnitudes = cache.magnitudes(run.id()).orElseThrow();
      assertArrayEquals(run.tokens(), magnitudes.run().tokens());
      assertEquals(0, magnitudes.run().pins(), "but for the look at it");
      for (int layer = 0; layer < LAYERS; layer++) {
        for (int head = 0; head < 2; head++) {
          double sum = 0;
          for (int i = 0; i < run.tokens().length; i++) {
            for (int element = 0; element < 3; element++) {
              sum += key(run.tokens()[i], run.start() + i, layer, head * 3 + element);
            }
          }
          double mean = sum / (3 * run.tokens().length);
          assertEquals(mean, magnitudes.keys()[layer][head], 1e-3 * mean);
          assertEquals(mean, magnitudes.values()[layer][head], 1e-3 * mean);
        }
      }
    }
    List<String> labels =
        cache.snapshot().orElseThrow().runs().stream().map(TreeSnapshot.Run::label).toList();
    assertEquals("first", labels.get(0));
    assertTrue(labels.contains("second"), labels.toString());
    assertEquals(0, cache.stats().storage().pinnedBytes());
    cache.clear(); // nothing is held any more
    assertEquals(Optional.empty(), cache.magnitudes(shared.id()));
    cache.checkIntegrity();
  }

  @Test
  void aNamespaceSeesOnlyItsOwn() {
    RadixKvCache cache = new RadixKvCache(config(4, 20));
    KvRequest one = KvRequest.of(run(0, 9)).withNamespace("one");
    request(cache, one);
    assertEquals(8, request(cache, one).cachedTokens());
    assertEquals(0, request(cache, one.withNamespace("two")).cachedTokens());
    assertEquals(0, request(cache, one.withSalt("salt")).cachedTokens());
    assertEquals(0, request(cache, new KvRequest(run(0, 9), 0, "one", "model")).cachedTokens());
    assertEquals(8, request(cache, one.withSalt("salt")).cachedTokens());
    cache.checkIntegrity();
  }

  @Test
  void theListenerHearsOfEverythingAndMayFail() {
    Logger logger = Logger.getLogger(KvCacheConfig.class.getName());
    logger.setLevel(Level.OFF); // it says so, at length
    List<CacheEvent> events = new ArrayList<>();
    RadixKvCache cache =
        new RadixKvCache(
            config(4, 2)
                .withListener(
                    event -> {
                      events.add(event);
                      if (event.number() % 2 == 0) {
                        throw new IllegalStateException("a listener that fails");
                      }
                      throw new AssertionError("a listener that fails otherwise");
                    }));
    request(cache, run(0, 8));
    request(cache, run(100, 4));
    long block = layout(4).bytesPerBlock();
    assertEquals(5, events.size()); // two lookups, two insertions, one removal
    assertEquals(
        new CacheEvent.Found(1, "", 0, new Lookup(8, 0, Reason.COLD, ""), ""), events.get(0));
    CacheEvent.Inserted inserted = (CacheEvent.Inserted) events.get(1);
    assertArrayEquals(run(0, 8), inserted.tokens());
    assertEquals(2 * block, inserted.bytes());
    assertEquals(
        new CacheEvent.Removed(4, "", inserted.run(), 4, 4, 1, block, Removal.SIZE), events.get(3));
    cache.checkIntegrity();
  }

  @Test
  void theTreePrintsTextWhereItIsGivenATokenizer() {
    RadixKvCache cache = new RadixKvCache(config(4, 20));
    request(cache, 'h', 'e', 'l', 'l', 'o');
    String tree =
        TreePrinter.print(cache.snapshot().orElseThrow(), ids -> new String(ids, 0, ids.length));
    assertTrue(tree.contains("  hello  5 tokens"), tree);
    assertTrue(cache.toString().contains("  104 101 108 108 111  5 tokens"), cache.toString());
  }

  @Test
  void metersReadTheStats() {
    RadixKvCache cache = new RadixKvCache(config(4, 3));
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    new CacheMetrics(cache, "test").bindTo(registry);
    request(cache, run(0, 8));
    request(cache, run(0, 8));
    request(cache, run(100, 8));
    assertEquals(
        1, registry.get("kv.cache.lookups").tag("result", "hit").functionCounter().count());
    assertEquals(7, registry.get("kv.cache.tokens.cached").functionCounter().count());
    assertEquals(
        1, registry.get("kv.cache.removed").tag("cause", "size").functionCounter().count());
    assertEquals(3, registry.get("kv.cache.entries").tag("cache", "test").gauge().value());
    assertEquals(cache.stats().storage().bytes(), registry.get("kv.cache.size").gauge().value());
    assertEquals(3, registry.get("kv.cache.lookup.time").functionTimer().count());
  }

  @Test
  void aFlightRecordingShowsLookupsInsertionsAndEvictions(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("cache.jfr");
    try (Recording recording = new Recording()) {
      recording.start();
      RadixKvCache cache = new RadixKvCache(config(4, 3));
      request(cache, run(0, 8));
      request(cache, run(0, 8));
      request(cache, run(100, 8));
      recording.stop();
      recording.dump(file);
    }
    Map<String, Integer> blocks = new TreeMap<>();
    RecordingFile.readAllEvents(file).stream()
        .filter(event -> event.getEventType().getName().startsWith("kv4j."))
        .forEach(
            event ->
                blocks.merge(
                    event.getEventType().getName(),
                    event.hasField("blocks")
                        ? event.getInt("blocks")
                        : event.getInt("cachedTokens"),
                    Integer::sum));
    assertEquals(
        Map.of("kv4j.CacheLookup", 7, "kv4j.CacheInsert", 4, "kv4j.CacheEvict", 1), blocks);
  }

  @Test
  void badConfigurationsAreRefusedInOneSentence() {
    KvLayout layout = layout(4);
    check("block size must be at least 1 token, not 0", () -> layout(0));
    check(
        "the cache's size limit of 383 bytes is below one block of 384 bytes",
        () -> new RadixKvCache(KvCacheConfig.of(layout, 383)));
    check("the cache's size limit must be positive, not -1", () -> KvCacheConfig.of(layout, -1));
    check(
        "the time-to-live must be positive, not PT-1S",
        () -> config(4, 1).withTimeToLive(Duration.ofSeconds(-1), true));
    check(
        "there is no eviction policy named mru; there are lru, lfu, fifo",
        () -> EvictionPolicy.named("mru"));
    assertSame(EvictionPolicy.Standard.LFU, EvictionPolicy.named("lfu"));
  }

  private static void check(String message, org.junit.jupiter.api.function.Executable action) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, action).getMessage());
  }

  @Test
  void itIsFoundByName() {
    KvCacheConfig config = config(4, 1).withTimeToLive(Duration.ofDays(1_000_000), false);
    var cache = KvCaches.create("radix", config, getClass().getClassLoader());
    assertSame(config.layout(), cache.layout());
    assertTrue(cache instanceof RadixKvCache);
  }
}
