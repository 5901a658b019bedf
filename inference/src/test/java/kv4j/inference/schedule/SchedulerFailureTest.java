package kv4j.inference.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import kv4j.cache.DelegatingSequence;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvSpans;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.EngineOptions;
import kv4j.inference.EngineTestKit;
import kv4j.inference.Generation;
import kv4j.inference.GenerationRequest;
import kv4j.inference.InferenceEngine;
import kv4j.inference.Sampling;
import kv4j.inference.pass.ForwardPass;
import kv4j.model.DemoModels;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whoever fails, fails alone. */
class SchedulerFailureTest {
  private static final int CULPRIT_FAILS_AT = 25;

  private final SplittableRandom random = new SplittableRandom(4);

  /** A cache whose sequences of the namespace "culprit" throw in a later pass and layer. */
  private static KvCache failing(RadixKvCache cache, Throwable failure) {
    return new WatchedCache(
        cache,
        (request, sequence) ->
            request.namespace().equals("culprit") ? failing(sequence, failure) : sequence);
  }

  private static KvSequence failing(KvSequence sequence, Throwable failure) {
    return new DelegatingSequence(sequence) {
      @Override
      public KvSpans update(int layer, float[] keys, float[] values, int firstRow, int tokens) {
        if (layer == 1 && length() + tokens > CULPRIT_FAILS_AT) {
          if (failure instanceof Error error) {
            throw error;
          }
          throw (RuntimeException) failure;
        }
        return super.update(layer, keys, values, firstRow, tokens);
      }
    };
  }

  /** Of the others one is in the long pass, and two are in short ones. */
  @ParameterizedTest
  @CsvSource({"true, 64", "false, 64", "true, 12", "false, 12", "false, 35"})
  void aFailedPassFailsOnlyTheRequestWhoseFaultItIs(boolean outOfMemory, int urgentRows)
      throws Exception {
    Throwable failure = outOfMemory ? new OutOfMemoryError("test") : new RuntimeException("test");
    try (ScheduleKit kit = new ScheduleKit(5);
        RadixKvCache cache = kit.radix(16, 100)) {
      Scheduler scheduler =
          Scheduler.stepped(
              kit.engine,
              failing(cache, failure),
              new SchedulerOptions(40, 4, 10, 2),
              urgentRows,
              event -> {});
      List<GenerationRequest> requests = new ArrayList<>();
      for (int promptTokens : new int[] {10, 90, 30}) {
        int[] prompt = kit.randomTokens(random, promptTokens);
        requests.add(
            new GenerationRequest(KvRequest.of(prompt), 20, new Sampling(1, random.nextLong())));
      }
      KvRequest culprit = KvRequest.of(kit.randomTokens(random, 20)).withNamespace("culprit");
      Submission failing = scheduler.submit(new GenerationRequest(culprit, 20, Sampling.GREEDY));
      List<Submission> others = requests.stream().map(scheduler::submit).toList();
      assertTrue(scheduler.drain(Duration.ofMinutes(1)));
      Throwable cause = assertThrows(ExecutionException.class, failing::await).getCause();
      assertSame(failure, outOfMemory ? cause.getCause() : cause); // errors of workers are wrapped
      for (int i = 0; i < requests.size(); i++) {
        ScheduledResult result = others.get(i).await();
        assertArrayEquals(kit.alone(requests.get(i)), result.generation().tokens());
        assertEquals(0, result.preempted());
        assertEquals(requests.get(i).prompt().length, result.computedPromptTokens());
      }
      assertEquals(1, scheduler.stats().failed());
      assertEquals(4, cache.stats().lookups().count());
      assertEquals(0, cache.stats().storage().pinnedBytes());
      assertEquals(0, cache.stats().storage().runningBytes());
      cache.checkIntegrity();
    }
  }

  @Test
  void whereNothingIsFusedSequencesRunOneByOne() throws Exception {
    try (ScheduleKit kit = new ScheduleKit(5);
        InferenceEngine unfused =
            InferenceEngine.create(
                EngineTestKit.randomModel(kit.model.config(), new SplittableRandom(5)),
                new EngineOptions(1, 24, false));
        RadixKvCache cache = kit.radix(16, 100)) {
      Scheduler scheduler =
          Scheduler.stepped(unfused, cache, new SchedulerOptions(40, 4, 10, 2), event -> {});
      List<Submission> submissions = new ArrayList<>();
      List<GenerationRequest> requests = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        requests.add(GenerationRequest.greedy(kit.randomTokens(random, 10 + 20 * i), 5));
        submissions.add(scheduler.submit(requests.get(i)));
      }
      assertTrue(scheduler.drain(Duration.ofMinutes(1)));
      for (int i = 0; i < 3; i++) {
        int[] tokens = submissions.get(i).await().generation().tokens();
        assertArrayEquals(kit.alone(requests.get(i)), tokens);
      }
    }
  }

  @Test
  void logitsThatAreNoNumbersFailTheirOwnRequest() throws Exception {
    Model model = DemoModels.create(ModelPreset.TINY, 3);
    int poison = 7;
    model.graph().getVariable(GraphNames.TOKEN_EMBEDDING).getArr().putScalar(poison, 0, Float.NaN);
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(1, 64));
        RadixKvCache cache =
            new RadixKvCache(KvCacheConfig.of(engine.layout(16, KvDtype.F32), 1 << 24))) {
      Scheduler scheduler =
          Scheduler.stepped(engine, cache, new SchedulerOptions(64, 4, 10, 2), event -> {});
      Submission good = scheduler.submit(GenerationRequest.greedy(new int[] {100, 101, 102}, 5));
      Submission bad = scheduler.submit(GenerationRequest.greedy(new int[] {100, poison, 102}, 5));
      assertTrue(scheduler.drain(Duration.ofMinutes(1)));
      assertEquals(5, good.await().generation().tokens().length);
      Throwable cause = assertThrows(ExecutionException.class, bad::await).getCause();
      assertTrue(cause.getMessage().startsWith("the model's logits are not finite"));
    }
  }

  @Test
  void aClosedCacheOrEngineFailsRequestsAndNotTheScheduler() {
    try (ScheduleKit kit = new ScheduleKit(6)) {
      RadixKvCache cache = kit.radix(16, 100);
      GenerationRequest request = GenerationRequest.greedy(kit.randomTokens(random, 9), 3);
      Scheduler scheduler =
          Scheduler.stepped(kit.engine, cache, new SchedulerOptions(64, 4, 10, 2), event -> {});
      cache.close();
      Submission failing = scheduler.submit(request);
      scheduler.step();
      Throwable cause = assertThrows(ExecutionException.class, failing::await).getCause();
      assertEquals("the cache is closed", cause.getMessage());

      Scheduler other =
          Scheduler.stepped(
              kit.engine, kit.radix(16, 100), new SchedulerOptions(64, 4, 10, 2), event -> {});
      List<Submission> both = List.of(other.submit(request), other.submit(request));
      kit.engine.close();
      assertTrue(other.drain(Duration.ofMinutes(1)));
      for (Submission submission : both) {
        Throwable closed = assertThrows(ExecutionException.class, submission::await).getCause();
        assertEquals("the engine was closed", closed.getMessage());
      }
    }
  }

  @Test
  void whatWasPausedGoesOnExactly() {
    try (ScheduleKit kit = new ScheduleKit(7);
        RadixKvCache cache = kit.radix(4, 100)) {
      GenerationRequest request =
          new GenerationRequest(
              KvRequest.of(kit.randomTokens(random, 30)), 12, new Sampling(1, random.nextLong()));
      Generation generation = Generation.waiting(kit.engine, cache, request, true);
      assertEquals(0, cache.stats().lookups().count());
      List<Integer> tokens = new ArrayList<>();
      assertTrue(generation.open());
      while (!generation.hasEnded()) {
        float[][] rows = kit.engine.forward(new ForwardPass(List.of(generation.next(7))));
        generation.take(rows.length == 0 ? null : rows[0]).ifPresent(tokens::add);
        if (!generation.hasEnded() && random.nextInt(3) == 0) {
          generation.pause();
          assertEquals(0, cache.stats().storage().pinnedBytes());
          assertTrue(generation.open());
        }
      }
      assertArrayEquals(kit.alone(request), generation.finish().tokens());
      assertEquals(12, tokens.size());
      generation.close();
      assertEquals(1, cache.stats().lookups().count());
    }
  }
}
