package kv4j.inference.schedule;

import static kv4j.inference.EngineTestKit.inParallel;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import kv4j.cache.KvCache;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.EngineTestKit;
import kv4j.inference.GenerationRequest;
import kv4j.inference.WatchedSequence;
import kv4j.inference.schedule.ScheduleKit.Heard;
import kv4j.inference.schedule.ScheduledResult.End;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The scheduler on its own thread. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SchedulerThreadTest {
  private final SplittableRandom random = new SplittableRandom(5);

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void manyThreadsSubmitAndCancelAndGetWhatEachGetsAlone() {
    try (ScheduleKit kit = new ScheduleKit(8);
        RadixKvCache cache = kit.radix(4, 45);
        Scheduler scheduler =
            new Scheduler(kit.engine, cache, new SchedulerOptions(24, 6, 1_000, 3))) {
      int[] text = kit.randomTokens(random, 100);
      List<Runnable> threads = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        SplittableRandom own = random.split();
        threads.add(
            () -> {
              for (int i = 0; i < 30; i++) {
                request(kit, scheduler, text, own);
              }
            });
      }
      inParallel(threads);
      assertTrue(scheduler.drain(Duration.ofMinutes(1)));
      SchedulerStats stats = scheduler.stats();
      assertEquals(120, stats.finished() + stats.cancelled());
      assertEquals(0, stats.failed() + stats.running() + stats.waiting());
      assertEquals(0, cache.stats().storage().pinnedBytes());
      assertEquals(0, cache.stats().storage().runningBytes());
      cache.checkIntegrity();
    }
  }

  private static void request(
      ScheduleKit kit, Scheduler scheduler, int[] text, SplittableRandom random) {
    int[] prompt =
        EngineTestKit.concat(
            Arrays.copyOf(text, random.nextInt(text.length)),
            kit.randomTokens(random, 1 + random.nextInt(9)));
    GenerationRequest request = GenerationRequest.greedy(prompt, 1 + random.nextInt(20));
    Heard heard = new Heard();
    Submission submission = scheduler.submit(request, heard);
    if (random.nextInt(4) == 0) {
      submission.cancel();
    }
    ScheduledResult result = submission.result().join();
    int[] tokens = result.generation().tokens();
    assertArrayEquals(Arrays.copyOf(kit.alone(request), tokens.length), tokens);
    assertArrayEquals(tokens, heard.toArray());
    assertTrue(result.end() == End.CANCELLED || tokens.length == request.newTokens());
  }

  @Test
  void whatArrivesDuringAPassIsInTheNextOne() throws Exception {
    CountDownLatch firstToken = new CountDownLatch(1);
    CountDownLatch submitted = new CountDownLatch(1);
    try (ScheduleKit kit = new ScheduleKit(9);
        RadixKvCache cache = kit.radix(16, 100);
        Scheduler scheduler = new Scheduler(kit.engine, cache, SchedulerOptions.defaults())) {
      Heard heard = new Heard();
      AtomicReference<Integer> heardWhenTheOtherEnded = new AtomicReference<>();
      Submission one =
          scheduler.submit(
              GenerationRequest.greedy(kit.randomTokens(random, 9), 20),
              (token, logits) -> {
                firstToken.countDown();
                await(submitted);
                return heard.token(token, logits);
              });
      await(firstToken);
      Submission other =
          scheduler.submit(
              GenerationRequest.greedy(kit.randomTokens(random, 9), 1),
              (token, logits) -> {
                heardWhenTheOtherEnded.set(heard.tokens.size());
                return true;
              });
      submitted.countDown();
      assertEquals(End.LENGTH, other.await().end());
      assertEquals(End.LENGTH, one.await().end());
      assertEquals(2, heardWhenTheOtherEnded.get());
    }
  }

  @Test
  void aShortPromptHasItsFirstTokenBeforeALongOnesPassIsAtItsEnd() throws Exception {
    List<String> story = new CopyOnWriteArrayList<>();
    AtomicReference<Scheduler> scheduler = new AtomicReference<>();
    CompletableFuture<Submission> shortOne = new CompletableFuture<>();
    try (ScheduleKit kit = new ScheduleKit(12);
        RadixKvCache cache = kit.radix(16, 100)) {
      GenerationRequest request = GenerationRequest.greedy(kit.randomTokens(random, 64), 2);
      IntConsumer atLayer =
          layer -> {
            story.add("layer " + layer);
            if (layer == 0) {
              shortOne.complete(
                  scheduler
                      .get()
                      .submit(request, (token, logits) -> story.add("token of the short one")));
            }
          };
      KvCache watched =
          new WatchedCache(
              cache,
              (lookup, sequence) ->
                  lookup.prompt().length > 64 ? new WatchedSequence(sequence, atLayer) : sequence);
      scheduler.set(new Scheduler(kit.engine, watched, SchedulerOptions.defaults()));
      try (Scheduler running = scheduler.get()) {
        GenerationRequest longRequest = GenerationRequest.greedy(kit.randomTokens(random, 190), 1);
        Submission longOne =
            running.submit(longRequest, (token, logits) -> story.add("token of the long one"));
        assertArrayEquals(kit.alone(longRequest), longOne.await().generation().tokens());
        assertArrayEquals(kit.alone(request), shortOne.get().await().generation().tokens());
      }
      List<String> expected =
          List.of("layer 0", "token of the short one", "layer 1", "token of the long one");
      assertEquals(expected, story.subList(0, 4));
    }
  }

  @Test
  void closingCancelsWhatRunsAndEndsTheThread() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch closing = new CountDownLatch(1);
    AtomicReference<Thread> thread = new AtomicReference<>();
    try (ScheduleKit kit = new ScheduleKit(10);
        RadixKvCache cache = kit.radix(16, 100)) {
      Scheduler scheduler =
          new Scheduler(
              kit.engine,
              cache,
              new SchedulerOptions(24, 1, 10, 3),
              event -> {
                if (event instanceof SchedulerEvent.Started) {
                  throw new IllegalStateException("only logged");
                }
              });
      Submission one =
          scheduler.submit(
              GenerationRequest.greedy(kit.randomTokens(random, 9), 190),
              (token, logits) -> {
                thread.set(Thread.currentThread());
                running.countDown();
                await(closing);
                return true;
              });
      Submission waiting =
          scheduler.submit(GenerationRequest.greedy(kit.randomTokens(random, 9), 190));
      await(running);
      Thread closer = new Thread(scheduler::close);
      closer.start();
      while (closer.getState() != Thread.State.TIMED_WAITING) { // for what runs
        Thread.onSpinWait();
      }
      closing.countDown();
      closer.join();
      thread.get().join();
      assertTrue(thread.get().isDaemon());
      assertEquals(End.CANCELLED, one.await().end());
      assertEquals(End.CANCELLED, waiting.await().end());
      assertThrows(
          IllegalStateException.class,
          () -> scheduler.submit(GenerationRequest.greedy(new int[] {1}, 1)));
      assertEquals(0, cache.stats().storage().pinnedBytes());
    }
  }

  @Test
  void aListenerMayCloseTheSchedulerAndNobodyWaitsForHimself() throws Exception {
    try (ScheduleKit kit = new ScheduleKit(11);
        RadixKvCache cache = kit.radix(16, 100)) {
      Scheduler scheduler = new Scheduler(kit.engine, cache, SchedulerOptions.defaults());
      Submission one =
          scheduler.submit(
              GenerationRequest.greedy(kit.randomTokens(random, 9), 50),
              (token, logits) -> {
                scheduler.close();
                return true;
              });
      assertEquals(End.CANCELLED, one.await().end());
      assertEquals(1, one.await().generation().tokens().length);
    }
  }
}
