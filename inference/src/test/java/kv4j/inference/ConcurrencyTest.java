package kv4j.inference;

import static kv4j.inference.EngineTestKit.assertAllLogits;
import static kv4j.inference.EngineTestKit.assertMatchesStock;
import static kv4j.inference.EngineTestKit.between;
import static kv4j.inference.EngineTestKit.concat;
import static kv4j.inference.EngineTestKit.config;
import static kv4j.inference.EngineTestKit.forAll;
import static kv4j.inference.EngineTestKit.graphLogits;
import static kv4j.inference.EngineTestKit.inParallel;
import static kv4j.inference.EngineTestKit.providers;
import static kv4j.inference.EngineTestKit.randomModel;
import static kv4j.inference.EngineTestKit.randomTokens;
import static kv4j.inference.EngineTestKit.request;
import static kv4j.inference.EngineTestKit.stockLogits;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import kv4j.cache.KvCache;
import kv4j.cache.block.KvDtype;
import kv4j.model.Model;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Many threads at once, which must not notice each other. */
class ConcurrencyTest {
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
