package kv4j.inference;

import static kv4j.inference.EngineTestKit.assertAllLogits;
import static kv4j.inference.EngineTestKit.assertLogits;
import static kv4j.inference.EngineTestKit.assertMatchesStock;
import static kv4j.inference.EngineTestKit.between;
import static kv4j.inference.EngineTestKit.concat;
import static kv4j.inference.EngineTestKit.config;
import static kv4j.inference.EngineTestKit.forAll;
import static kv4j.inference.EngineTestKit.graphLogits;
import static kv4j.inference.EngineTestKit.inParallel;
import static kv4j.inference.EngineTestKit.newSequence;
import static kv4j.inference.EngineTestKit.providers;
import static kv4j.inference.EngineTestKit.randomModel;
import static kv4j.inference.EngineTestKit.randomTokens;
import static kv4j.inference.EngineTestKit.request;
import static kv4j.inference.EngineTestKit.stockLogits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import kv4j.cache.KvCache;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvDtype;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Many threads at once, which must not notice each other. */
class ConcurrencyTest {
  private static final int ROUNDS = 40;

  /** Two models of as many layers, and else unlike. */
  private static final TransformerConfig SMALLER =
      new TransformerConfig(3, 24, 4, 2, 6, 30, 50, 64, 1e-5f, 10_000, RopePairing.SPLIT, true);

  private static final TransformerConfig LARGER =
      new TransformerConfig(
          3, 50, 3, 3, 16, 90, 120, 64, 1e-5f, 10_000, RopePairing.ADJACENT, false);

  static List<String> caches() {
    return List.copyOf(providers().keySet());
  }

  private record Job(Generator generator, GenerationRequest request, Model model) {}

  /**
   * Runs each list of jobs on a thread of its own; every result must be what the job gives alone.
   */
  private static void runAndCheck(List<List<Job>> threads) {
    Map<Job, GenerationResult> results = new ConcurrentHashMap<>();
    inParallel(
        threads.stream()
            .<Runnable>map(
                jobs ->
                    () ->
                        jobs.forEach(
                            job -> results.put(job, job.generator.generate(job.request, true))))
            .toList());
    results.forEach(
        (job, result) ->
            assertMatchesStock(job.model, job.request, result, result.lookup().toString()));
  }

  private static List<Job> jobs(
      InferenceEngine engine, KvCache cache, int[] shared, SplittableRandom random) {
    List<Job> jobs = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int[] more = randomTokens(random, between(random, 1, 20), engine.model());
      GenerationRequest request = request(concat(shared, more), 2, shared.length);
      jobs.add(new Job(new Generator(engine, cache), request, engine.model()));
    }
    return jobs;
  }

  @ParameterizedTest
  @MethodSource("caches")
  void threadsThatShareAnEngineAndACacheGetWhatEachGetsAlone(String name) {
    forAll(
        2,
        random -> {
          Model model = randomModel(random);
          try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 24));
              KvCache cache = providers().get(name).create(config(engine, 7, KvDtype.F32))) {
            int[] shared = randomTokens(random, 50, model);
            runAndCheck(
                List.of(
                    jobs(engine, cache, shared, random),
                    jobs(engine, cache, shared, random),
                    jobs(engine, cache, randomTokens(random, 31, model), random)));
          }
        });
  }

  @Test
  void enginesOnTwoThreadsDoNotDisturbEachOther() {
    forAll(
        2,
        random -> {
          Model first = randomModel(random);
          Model second = randomModel(random);
          try (InferenceEngine one = InferenceEngine.create(first, new EngineOptions(2, 24));
              InferenceEngine two = InferenceEngine.create(second, new EngineOptions(1, 24));
              KvCache cacheOfOne = providers().get("request").create(config(one, 16, KvDtype.F32));
              KvCache cacheOfTwo =
                  providers().get("request").create(config(two, 16, KvDtype.F32))) {
            runAndCheck(
                List.of(
                    jobs(one, cacheOfOne, randomTokens(random, 9, first), random),
                    jobs(two, cacheOfTwo, randomTokens(random, 9, second), random)));
          }
        });
  }

  /**
   * Each waits for the other wherever it calls its cache, so both are in the middle of a pass at
   * the same time, between the same layers, again and again. Both must compute what they compute
   * alone, to the last bit.
   */
  @ParameterizedTest
  @CsvSource({"1, 1", "2, 1", "2, 2"})
  void plansInTheMiddleOfAPassDoNotDisturbEachOther(int threadsOfOne, int threadsOfTwo) {
    SplittableRandom random = new SplittableRandom(6);
    Model first = randomModel(SMALLER, random);
    Model second = randomModel(LARGER, random);
    int[] tokensOfOne = randomTokens(random, 40, first);
    int[] tokensOfTwo = randomTokens(random, 40, second);
    CyclicBarrier meeting = new CyclicBarrier(2);
    AtomicInteger meetings = new AtomicInteger();
    try (InferenceEngine one = InferenceEngine.create(first, new EngineOptions(threadsOfOne, 16));
        InferenceEngine two = InferenceEngine.create(second, new EngineOptions(threadsOfTwo, 16))) {
      float[][] ofOne = generate(one, tokensOfOne, layer -> {});
      float[][] ofTwo = generate(two, tokensOfTwo, layer -> {});
      assertLogits(stockLogits(first, tokensOfOne)[39], ofOne[8], "one alone");
      assertLogits(stockLogits(second, tokensOfTwo)[39], ofTwo[8], "two alone");
      inParallel(
          List.of(
              () -> repeat(one, tokensOfOne, ofOne, meeting, meetings),
              () -> repeat(two, tokensOfTwo, ofTwo, meeting, meetings)));
    }
    int passes = 2 + 8; // chunks of 16 in 32 tokens, then token by token
    assertEquals(2 * ROUNDS * passes * SMALLER.layers(), meetings.get());
  }

  private static void repeat(
      InferenceEngine engine,
      int[] tokens,
      float[][] expected,
      CyclicBarrier meeting,
      AtomicInteger meetings) {
    try {
      for (int round = 0; round < ROUNDS; round++) {
        float[][] logits =
            generate(
                engine,
                tokens,
                layer -> {
                  await(meeting);
                  meetings.incrementAndGet();
                });
        assertArrayEquals(expected, logits, "round " + round);
      }
    } catch (RuntimeException | Error e) {
      meeting.reset(); // for the other not to wait
      throw e;
    }
  }

  private static void await(CyclicBarrier meeting) {
    try {
      meeting.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException("the other has failed", e);
    }
  }

  /** Logits of the last 9 of 40 tokens: of 32 at once, then of each that follows. */
  private static float[][] generate(InferenceEngine engine, int[] tokens, IntConsumer atLayer) {
    float[][] logits = new float[9][];
    try (KvSequence sequence = new WatchedSequence(newSequence(engine), atLayer)) {
      logits[0] = engine.forward(sequence, tokens, 0, 32);
      for (int i = 1; i < logits.length; i++) {
        logits[i] = engine.forward(sequence, tokens, 31 + i, 32 + i);
      }
    }
    return logits;
  }

  @Test
  void threadsMayAskTheGraphItself() {
    forAll(
        2,
        random -> {
          Model model = randomModel(random);
          try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 24))) {
            List<Runnable> threads = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
              int[] tokens = randomTokens(random, between(random, 1, 90), model);
              float[][] expected = stockLogits(model, tokens);
              threads.add(
                  () -> {
                    for (int n = 0; n < 10; n++) {
                      assertAllLogits(expected, graphLogits(engine, tokens), "pass " + n);
                    }
                  });
            }
            inParallel(threads);
          }
        });
  }
}
