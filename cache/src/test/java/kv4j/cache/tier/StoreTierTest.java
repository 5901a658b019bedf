package kv4j.cache.tier;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import kv4j.cache.Lookup.Reason;
import kv4j.cache.block.BlockChain;
import kv4j.cache.block.BlockFormat;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.index.Chain;
import kv4j.cache.index.Keyspace;
import kv4j.cache.store.StoreConfig;
import kv4j.cache.store.StoreConfig.When;
import kv4j.cache.store.StoreStats;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StoreTierTest {
  private static final KvLayout LAYOUT = new KvLayout(1, 1, 2, 4, KvDtype.F32);
  private static final Keyspace SPACE = new Keyspace("tenant", "model", "");
  private static final Duration LONG = Duration.ofMinutes(2);

  private final FakeStore store = new FakeStore();
  private final List<StoreTier> tiers = new ArrayList<>();

  @AfterEach
  void close() {
    tiers.forEach(StoreTier::close);
  }

  private StoreTier tier(int minTokens, Duration deadline) {
    StoreConfig config = new StoreConfig(store, When.COMMIT, minTokens, KvDtype.F32, deadline);
    StoreTier tier = new StoreTier(config, LAYOUT);
    tiers.add(tier);
    return tier;
  }

  private StoreTier tier() {
    return tier(1, LONG);
  }

  private static int[] tokens(int count) {
    return IntStream.range(0, count).toArray();
  }

  private static KvBlock block(float number) {
    KvBlock block = new KvBlock(LAYOUT);
    float[] rows = new float[8];
    Arrays.fill(rows, number);
    block.write(0, 0, 4, rows, rows, 0);
    return block;
  }

  private static Chain<KvBlock> chain(int blocks) {
    List<KvBlock> all = IntStream.range(0, blocks).mapToObj(StoreTierTest::block).toList();
    return new Chain<>(SPACE, tokens(4 * blocks), 0, all);
  }

  private static Fetched fetch(StoreTier tier, int count, int from) {
    return tier.fetch(SPACE, tokens(count), from).join();
  }

  private static List<Float> numbers(Fetched fetched) {
    return fetched.blocks().stream().map(block -> block.values(0)[0]).toList();
  }

  private void write(StoreTier tier, int blocks) {
    tier.offer(chain(blocks));
    assertTrue(tier.flush(LONG));
  }

  @Test
  void whatIsWrittenIsReadFromAnyBlockOn() {
    StoreTier tier = tier();
    write(tier, 5);
    assertEquals(5, store.contents().values());
    assertEquals(List.of(0f, 1f, 2f, 3f, 4f), numbers(fetch(tier(), 20, 0)));
    assertEquals(List.of(2f, 3f), numbers(fetch(tier, 19, 2))); // the last is not wanted whole
    assertEquals(List.of(3f, 4f), numbers(fetch(tier, 40, 3)));
    assertEquals(List.of(), numbers(fetch(tier, 20, 5)));
    StoreStats stats = tier.stats();
    assertEquals(2, stats.asked());
    assertEquals(2, stats.hits());
    assertEquals(4 * (2 + 7), stats.askedTokens());
    assertEquals(4 * (2 + 2), stats.hitTokens());
    assertEquals(5, stats.written());
    assertEquals(store.contents().bytes(), stats.writtenBytes());
    assertEquals(0, stats.queuedBytes());
  }

  @Test
  void nothingIsReadPastWhatIsMissing() {
    write(tier(), 5);
    BlockChain keys = new BlockChain(LAYOUT, KvDtype.F32, "model", "tenant", "", tokens(20));
    store.remove(keys.key(2));
    Fetched fetched = fetch(tier(), 20, 0);
    assertEquals(List.of(0f, 1f), numbers(fetched));
    assertEquals(Optional.empty(), fetched.reason());
    store.remove(keys.key(0));
    assertEquals(List.of(), numbers(fetch(tier(), 20, 0)));
  }

  @Test
  void otherTenantsModelsAndSaltsFindNothing() {
    write(tier(), 3);
    for (Keyspace other :
        List.of(
            new Keyspace("", "model", ""),
            new Keyspace("tenant", "other", ""),
            new Keyspace("tenant", "model", "salt"))) {
      assertEquals(List.of(), tier().fetch(other, tokens(12), 0).join().blocks());
    }
    assertEquals(3, fetch(tier(), 12, 0).blocks().size());
  }

  @Test
  void aBlockIsWrittenOnceAndAgainWhenTheStoreHasLostIt() {
    StoreTier tier = tier();
    write(tier, 3);
    write(tier, 3);
    assertEquals(3, tier.stats().written());
    synchronized (store.values) {
      store.values.clear();
    }
    assertEquals(List.of(), fetch(tier, 12, 0).blocks());
    write(tier, 3);
    assertEquals(6, tier.stats().written());
  }

  @Test
  void shortChainsAreNeitherKeptNorAskedFor() {
    StoreTier tier = tier(12, LONG);
    write(tier, 2);
    assertEquals(0, store.contents().values());
    write(tier, 3);
    assertEquals(3, store.contents().values());
    assertEquals(List.of(), fetch(tier, 11, 0).blocks());
    assertEquals(0, store.questions.size());
    assertEquals(3, fetch(tier, 12, 0).blocks().size());
  }

  @Test
  void twoWhoWantTheSameBlocksReadThemOnce() {
    write(tier(), 4);
    Queue<Runnable> answers = new ConcurrentLinkedQueue<>();
    store.answer =
        (key, value) -> {
          CompletableFuture<byte[]> later = new CompletableFuture<>();
          answers.add(() -> later.complete(value));
          return later;
        };
    StoreTier tier = tier();
    CompletableFuture<Fetched> first = tier.fetch(SPACE, tokens(12), 0);
    CompletableFuture<Fetched> second = tier.fetch(SPACE, tokens(16), 1);
    while (answers.size() < 4) {
      Thread.onSpinWait();
    }
    assertFalse(first.isDone() || second.isDone());
    answers.forEach(Runnable::run);
    assertEquals(List.of(0f, 1f, 2f), numbers(first.join()));
    assertEquals(List.of(1f, 2f, 3f), numbers(second.join()));
    assertSame(first.join().blocks().get(1), second.join().blocks().get(0));
    assertEquals(4, store.questions.stream().mapToInt(List::size).sum());
  }

  @Test
  void aStoreThatIsNotOpenYetIsNotWaitedFor() {
    store.ready = new CompletableFuture<>();
    StoreTier tier = tier();
    tier.offer(chain(2));
    Fetched early = fetch(tier, 8, 0);
    assertEquals(Optional.of(Reason.STORE_OPENING), early.reason());
    assertEquals(1, tier.stats().notOpen());
    assertEquals(0, store.contents().values());
    store.ready.complete(null);
    assertTrue(tier.flush(LONG));
    assertEquals(2, fetch(tier, 8, 0).blocks().size());
  }

  @Test
  void aStoreThatCannotBeOpenedIsDoneWithout() {
    store.ready = CompletableFuture.failedFuture(new IllegalStateException("no such disk"));
    StoreTier tier = tier();
    tier.offer(chain(2));
    assertTrue(tier.flush(LONG));
    assertEquals(2, tier.stats().dropped());
    assertEquals(Optional.of(Reason.STORE_FAILED), fetch(tier, 8, 0).reason());
  }

  @Test
  void whatComesTooLateIsDoneWithoutButWhatCameIsUsed() {
    write(tier(), 4);
    BlockChain keys = new BlockChain(LAYOUT, KvDtype.F32, "model", "tenant", "", tokens(16));
    store.answer =
        (key, value) ->
            key.equals(keys.key(2))
                ? new CompletableFuture<>()
                : CompletableFuture.completedFuture(value);
    StoreTier tier = tier(1, Duration.ofSeconds(2));
    Fetched fetched = fetch(tier, 16, 0);
    assertEquals(List.of(0f, 1f), numbers(fetched));
    assertEquals(Optional.of(Reason.STORE_DEADLINE), fetched.reason());
    assertEquals(1, tier.stats().late());
  }

  @Test
  void afterTheDeadlineNothingMoreIsAskedFor() throws Exception {
    KvLayout large =
        new KvLayout(1, 1, 1 << 18, 4, KvDtype.F32); // one is as much as is read at once
    BlockChain chain = new BlockChain(large, KvDtype.F32, "model", "tenant", "", tokens(8));
    byte[] value = BlockFormat.write(new KvBlock(large), chain, 0, 0);
    CompletableFuture<byte[]> late = new CompletableFuture<>();
    CountDownLatch asked = new CountDownLatch(1);
    store.answer =
        (key, none) -> {
          asked.countDown();
          return late;
        };
    StoreCounters counters = new StoreCounters();
    WriteBehind writes = new WriteBehind(store, 1, counters);
    try (BlockReader reader = new BlockReader(store, writes, counters)) {
      List<CompletableFuture<KvBlock>> blocks = reader.read(chain, 0, LONG);
      asked.await();
      blocks.forEach(block -> block.completeExceptionally(new TimeoutException()));
      late.complete(value);
      // Once both threads of the reader are here, they are done with what came too late.
      CyclicBarrier barrier = new CyclicBarrier(3);
      store.answer =
          (key, none) -> {
            awaitOthers(barrier);
            return CompletableFuture.completedFuture(null);
          };
      for (String tenant : List.of("one", "another")) {
        reader.read(new BlockChain(large, KvDtype.F32, "model", tenant, "", tokens(4)), 0, LONG);
      }
      awaitOthers(barrier);
    }
    assertTrue(counters.snapshot(0, new Rates()).readBytes() > 0); // what came too late was read
    assertEquals(3, store.questions.stream().mapToInt(List::size).sum());
  }

  private static void awaitOthers(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void whatIsDamagedIsCountedAndRemoved() {
    write(tier(), 4);
    BlockChain keys = new BlockChain(LAYOUT, KvDtype.F32, "model", "tenant", "", tokens(16));
    synchronized (store.values) {
      byte[] value = store.values.get(keys.key(2)).clone();
      value[value.length / 2] ^= 1;
      store.values.put(keys.key(2), value);
      store.values.put(keys.key(3), store.values.get(keys.key(1))); // another's
    }
    StoreTier tier = tier();
    Fetched fetched = fetch(tier, 16, 0);
    assertEquals(List.of(0f, 1f), numbers(fetched));
    assertEquals(Optional.of(Reason.STORE_DAMAGED), fetched.reason());
    assertEquals(2, tier.stats().damaged());
    assertEquals(2, store.contents().values());
    write(tier, 4);
    assertEquals(4, fetch(tier, 16, 0).blocks().size());
  }

  @Test
  void aStoreThatFailsIsNamedAsTheReason() {
    StoreTier tier = tier();
    write(tier, 2);
    store.answer = (key, value) -> CompletableFuture.failedFuture(new IllegalStateException("no"));
    assertEquals(Optional.of(Reason.STORE_FAILED), fetch(tier, 8, 0).reason());
    store.answer =
        (key, value) -> {
          throw new IllegalStateException("no");
        };
    assertEquals(Optional.of(Reason.STORE_FAILED), fetch(tier, 8, 0).reason());
    assertEquals(2, tier.stats().failed());
    store.answer = (key, value) -> CompletableFuture.completedFuture(value);
    assertEquals(2, fetch(tier, 8, 0).blocks().size());
  }

  @Test
  void aStoreThatCannotKeepUpLosesBlocksAndNobodyWaits() {
    Queue<CompletableFuture<Void>> pending = new ConcurrentLinkedQueue<>();
    store.taking =
        (key, value) -> {
          CompletableFuture<Void> later = new CompletableFuture<>();
          pending.add(later);
          return later;
        };
    StoreCounters counters = new StoreCounters();
    WriteBehind writes = new WriteBehind(store, 6 * LAYOUT.bytesPerBlock(), counters);
    BlockChain keys = new BlockChain(LAYOUT, KvDtype.F32, "model", "tenant", "", tokens(40));
    for (int i = 0; i < keys.size(); i++) {
      writes.offer(keys, i, block(i), Duration.ZERO);
    }
    assertEquals(4, counters.snapshot(0, new Rates()).dropped());
    assertEquals(6 * LAYOUT.bytesPerBlock(), writes.queuedBytes());
    while (store.contents().values() < 6) {
      CompletableFuture<Void> next = pending.poll();
      if (next != null) {
        next.complete(null);
      }
    }
    assertTrue(writes.flush(LONG));
    for (int i = 0; i < 6; i++) { // the first ones: a chain's end is of no use without them
      KvBlock read = BlockFormat.read(store.values.get(keys.key(i)), keys, i);
      assertArrayEquals(block(i).keys(0), read.keys(0));
    }
    writes.close();
  }

  @Test
  void aStoreThatBreaksWhileItIsWrittenToLosesThatBlockOnly() {
    StoreTier tier = tier();
    store.taking =
        (key, value) -> {
          throw new NoClassDefFoundError("a plug-in's");
        };
    write(tier, 2);
    assertEquals(2, tier.stats().writeFailed());
    assertEquals(0, tier.stats().queuedBytes());
    store.taking = (key, value) -> CompletableFuture.completedFuture(null);
    write(tier, 2);
    assertEquals(2, store.contents().values());
  }

  @Test
  void readingIsLeftWhereComputingIsFasterButTriedNowAndThen() {
    Rates rates = new Rates();
    assertTrue(rates.isReadingWorthIt());
    rates.read(100, 5_000);
    assertTrue(rates.isReadingWorthIt()); // nothing is known of computing
    rates.computed(10, 400);
    int tries = 0;
    for (int i = 0; i < 160; i++) {
      tries += rates.isReadingWorthIt() ? 1 : 0;
    }
    assertEquals(10, tries);
    rates.read(100, 1_000); // 50, then 38 a token
    assertTrue(rates.isReadingWorthIt());
    assertEquals(38, rates.readNanosPerToken(), 1e-9);
    rates.computed(10, 300);
    assertEquals(37, rates.computeNanosPerToken(), 1e-9);
    assertFalse(rates.isReadingWorthIt());
  }

  @Test
  void nobodyWaitsLongerForTheStoreThanComputingTakes() {
    Rates rates = new Rates();
    Duration most = Duration.ofSeconds(2);
    Duration least = Duration.ofMillis(50);
    assertEquals(most, rates.patience(1_000, most, least));
    rates.computed(100, 20_000_000);
    assertEquals(Duration.ofMillis(200), rates.patience(1_000, most, least));
    assertEquals(least, rates.patience(16, most, least));
    assertEquals(most, rates.patience(100_000, most, least));
  }

  @Test
  void whereComputingIsFasterTheReasonSaysSo() {
    StoreTier tier = tier();
    write(tier, 4);
    fetch(tier, 16, 0);
    for (int i = 0; i < 50; i++) {
      tier.computed(1_000_000, 1);
    }
    assertEquals(Optional.of(Reason.STORE_SLOWER), fetch(tier, 16, 0).reason());
    assertEquals(1, tier.stats().slower());
  }
}
