package kv4j.inference.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import kv4j.cache.KvRequest;
import kv4j.cache.Lookup;
import kv4j.cache.Lookup.Reason;
import kv4j.cache.block.BlockKey;
import kv4j.cache.block.KvDtype;
import kv4j.cache.radix.RadixKvCache;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.StoreConfig;
import kv4j.cache.store.StoreConfig.When;
import kv4j.cache.store.StoreContents;
import kv4j.inference.EngineTestKit;
import kv4j.inference.GenerationRequest;
import kv4j.inference.GenerationResult;
import kv4j.inference.Generator;
import kv4j.inference.Sampling;
import kv4j.inference.schedule.ScheduledResult.End;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real keys and values that come back from a store. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StoredPrefixTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final int BLOCK = 16;

  private final SplittableRandom random = new SplittableRandom(11);

  /** Answers at once, or, while it is held, when the test lets it. */
  private static final class HeldStore implements BlockStore {
    private final Map<BlockKey, byte[]> values = new HashMap<>();
    private final List<Runnable> answers = new ArrayList<>();
    private boolean held;

    @Override
    public synchronized List<CompletableFuture<byte[]>> get(List<BlockKey> chain) {
      List<CompletableFuture<byte[]>> all = new ArrayList<>();
      for (BlockKey key : chain) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        all.add(answer);
        answers.add(() -> answer.complete(values.get(key)));
      }
      notifyAll();
      if (!held) {
        answers.forEach(Runnable::run);
        answers.clear();
      }
      return all;
    }

    synchronized void hold() {
      held = true;
    }

    synchronized void awaitQuestion() throws InterruptedException {
      while (answers.isEmpty()) {
        wait();
      }
    }

    synchronized void answer() {
      held = false;
      answers.forEach(Runnable::run);
      answers.clear();
    }

    @Override
    public synchronized CompletableFuture<Void> put(BlockKey key, byte[] value) {
      values.put(key, value);
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<Void> remove(BlockKey key) {
      throw new IllegalStateException("nothing is damaged here");
    }

    @Override
    public void forEach(BiConsumer<BlockKey, byte[]> visitor) {
      values.forEach(visitor);
    }

    @Override
    public StoreContents contents() {
      return new StoreContents(values.size(), 0, List.of());
    }

    @Override
    public void close() {}
  }

  private static RadixKvCache cache(ScheduleKit kit, BlockStore store, When when, KvDtype dtype) {
    var layout = kit.engine.layout(BLOCK, dtype);
    return new RadixKvCache(
        kit.config(BLOCK, 1_000)
            .withStore(new StoreConfig(store, when, BLOCK, layout.dtype(), LONG)));
  }

  private static GenerationResult run(
      ScheduleKit kit, RadixKvCache cache, GenerationRequest request) {
    return new Generator(kit.engine, cache).generate(request, true);
  }

  /** After a restart, as before it: tokens and logits of a run without any cache. */
  @ParameterizedTest
  @EnumSource
  void aRestartChangesNothingButTheTimeItTakes(When when) {
    try (ScheduleKit kit = new ScheduleKit(3)) {
      HeldStore store = new HeldStore();
      int[] shared = kit.randomTokens(random, 100);
      GenerationRequest first = GenerationRequest.greedy(shared, 8);
      try (RadixKvCache cache = cache(kit, store, when, KvDtype.F32)) {
        assertArrayEquals(kit.alone(first), run(kit, cache, first).tokens());
      }
      assertEquals(107 / BLOCK, store.values.size());
      for (int cut : new int[] {100, 96, 95, 50, 17, 16, 15}) {
        int[] prompt =
            EngineTestKit.concat(Arrays.copyOf(shared, cut), kit.randomTokens(random, 9));
        GenerationRequest request = GenerationRequest.greedy(prompt, 8);
        try (RadixKvCache cache = cache(kit, store, when, KvDtype.F32);
            RadixKvCache fresh = kit.radix(BLOCK, 1_000)) {
          GenerationResult stored = run(kit, cache, request);
          GenerationResult computed = run(kit, fresh, request);
          assertEquals(cut / BLOCK * BLOCK, stored.lookup().storeTokens());
          assertEquals(cut / BLOCK * BLOCK, stored.lookup().cachedTokens());
          assertArrayEquals(computed.tokens(), stored.tokens());
          for (int i = 0; i < 8; i++) {
            assertArrayEquals(computed.logits()[i], stored.logits()[i], 1e-4f);
          }
        }
      }
    }
  }

  @Test
  void whatIsStoredInFewerBitsIsAnotherValueThanTheExactOne() {
    try (ScheduleKit kit = new ScheduleKit(3)) {
      HeldStore store = new HeldStore();
      GenerationRequest request = GenerationRequest.greedy(kit.randomTokens(random, 100), 2);
      try (RadixKvCache cache = cache(kit, store, When.COMMIT, KvDtype.I8)) {
        run(kit, cache, request);
      }
      try (RadixKvCache exact = cache(kit, store, When.COMMIT, KvDtype.F32);
          RadixKvCache rounded = cache(kit, store, When.COMMIT, KvDtype.I8)) {
        assertEquals(0, run(kit, exact, request).lookup().storeTokens());
        assertEquals(96, run(kit, rounded, request).lookup().storeTokens());
      }
    }
  }

  @Test
  void othersRunWhileBlocksAreRead() throws Exception {
    try (ScheduleKit kit = new ScheduleKit(4)) {
      HeldStore store = new HeldStore();
      GenerationRequest known = GenerationRequest.greedy(kit.randomTokens(random, 90), 6);
      GenerationRequest other = GenerationRequest.greedy(kit.randomTokens(random, 10), 6);
      try (RadixKvCache cache = cache(kit, store, When.COMMIT, KvDtype.F32)) {
        run(kit, cache, known);
      }
      store.hold();
      try (RadixKvCache cache = cache(kit, store, When.COMMIT, KvDtype.F32);
          Scheduler scheduler =
              new Scheduler(kit.engine, cache, new SchedulerOptions(40, 4, 100, 2))) {
        Submission waits = scheduler.submit(known);
        store.awaitQuestion();
        ScheduledResult ran = scheduler.submit(other).result().join();
        assertArrayEquals(kit.alone(other), ran.generation().tokens());
        assertFalse(waits.result().isDone());
        assertEquals(1, scheduler.stats().waiting());
        store.answer();
        ScheduledResult late = waits.result().join();
        assertArrayEquals(kit.alone(known), late.generation().tokens());
        Lookup lookup = late.generation().lookup();
        assertEquals(80, lookup.storeTokens());
        assertEquals(Reason.END_OF_STORED, lookup.reason());
        assertEquals(10, late.computedPromptTokens());
      }
    }
  }

  @Test
  void aSchedulerThatIsClosedDoesNotForgetWhoWaitsForTheStore() throws Exception {
    try (ScheduleKit kit = new ScheduleKit(5)) {
      HeldStore store = new HeldStore();
      store.hold();
      try (RadixKvCache cache = cache(kit, store, When.COMMIT, KvDtype.F32)) {
        Scheduler scheduler = new Scheduler(kit.engine, cache, new SchedulerOptions(40, 4, 100, 2));
        Submission waits =
            scheduler.submit(GenerationRequest.greedy(kit.randomTokens(random, 90), 6));
        store.awaitQuestion();
        CompletableFuture<Void> closing = CompletableFuture.runAsync(scheduler::close);
        assertFalse(waits.result().isDone());
        store.answer();
        closing.join();
        assertEquals(End.CANCELLED, waits.result().join().end());
      }
    }
  }

  @Test
  void aSchedulerThatAListenerClosesDoesNotForgetThemEither() throws Exception {
    try (ScheduleKit kit = new ScheduleKit(5)) {
      HeldStore store = new HeldStore();
      store.hold();
      try (RadixKvCache cache = cache(kit, store, When.COMMIT, KvDtype.F32)) {
        Scheduler scheduler = new Scheduler(kit.engine, cache, new SchedulerOptions(40, 4, 100, 2));
        Submission waits =
            scheduler.submit(GenerationRequest.greedy(kit.randomTokens(random, 90), 6));
        store.awaitQuestion();
        AtomicReference<Thread> thread = new AtomicReference<>();
        GenerationRequest tooShortToBeStored =
            GenerationRequest.greedy(kit.randomTokens(random, 10), 6);
        Submission closes =
            scheduler.submit(
                tooShortToBeStored,
                (token, logits) -> {
                  thread.set(Thread.currentThread());
                  scheduler.close();
                  return true;
                });
        assertEquals(End.CANCELLED, closes.await().end());
        Set<Thread.State> ranOut = EnumSet.of(Thread.State.WAITING, Thread.State.TERMINATED);
        while (!ranOut.contains(thread.get().getState())) {
          Thread.onSpinWait();
        }
        store.answer();
        assertEquals(End.CANCELLED, waits.await().end());
        thread.get().join();
      }
    }
  }

  @Test
  void requestsOfSeveralTenantsShareNothingThroughAStore() {
    try (ScheduleKit kit = new ScheduleKit(6)) {
      HeldStore store = new HeldStore();
      KvRequest prompt = KvRequest.of(kit.randomTokens(random, 90));
      try (RadixKvCache cache = cache(kit, store, When.COMMIT, KvDtype.F32)) {
        run(kit, cache, request(prompt.withNamespace("a").withSalt("s")));
      }
      try (RadixKvCache cache = cache(kit, store, When.COMMIT, KvDtype.F32)) {
        for (KvRequest other :
            List.of(prompt, prompt.withNamespace("a"), prompt.withNamespace("b").withSalt("s"))) {
          assertEquals(0, run(kit, cache, request(other)).lookup().cachedTokens());
        }
        GenerationResult same = run(kit, cache, request(prompt.withNamespace("a").withSalt("s")));
        assertTrue(same.lookup().storeTokens() > 0);
      }
    }
  }

  private static GenerationRequest request(KvRequest lookup) {
    return new GenerationRequest(lookup, 2, Sampling.GREEDY);
  }
}
