package kv4j.inference;

import static kv4j.inference.EngineTestKit.config;
import static kv4j.inference.EngineTestKit.randomTokens;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import kv4j.cache.KvCache;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.cache.faulty.Fault;
import kv4j.cache.faulty.FaultyKvCache;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.pass.ForwardPass.Segment;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class GenerationTest {
  private static InferenceEngine engine;

  @BeforeAll
  static void start() {
    Model model = DemoModels.create(ModelPreset.TINY, 11);
    engine = InferenceEngine.create(model, new EngineOptions(2, 16));
  }

  @AfterAll
  static void stop() {
    engine.close();
  }

  private static GenerationRequest request(SplittableRandom random) {
    int[] prompt = randomTokens(random, 1 + random.nextInt(40), engine.model());
    return GenerationRequest.greedy(prompt, 1 + random.nextInt(12));
  }

  /** The token that the cheapest of drivers gets, each request by itself. */
  private static List<int[]> alone(List<GenerationRequest> requests) {
    try (KvCache cache = new RequestCacheProvider().create(config(engine, 16, KvDtype.F32))) {
      Generator generator = new Generator(engine, cache);
      return requests.stream().map(r -> generator.generate(r).tokens()).toList();
    }
  }

  /** As a scheduler does: all that run are in each pass, with chunks of any size. */
  @Test
  void manyInOnePassGiveTheTokensOfEachAlone() {
    for (int seed = 0; seed < 10; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      List<GenerationRequest> requests = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        requests.add(request(random));
      }
      List<int[]> expected = alone(requests);
      try (KvCache cache = new RadixKvCache(config(engine, 16, KvDtype.F32))) {
        List<Generation> all = new ArrayList<>();
        requests.forEach(r -> all.add(new Generation(engine, cache, r, false)));
        List<Generation> running = new ArrayList<>(all);
        while (!running.isEmpty()) {
          List<Segment> segments = new ArrayList<>();
          for (Generation generation : running) {
            segments.add(generation.next(1 + random.nextInt(9)));
          }
          float[][] rows = engine.forward(new ForwardPass(segments));
          int row = 0;
          for (int i = 0; i < running.size(); i++) {
            boolean asked = segments.get(i).logits() != ForwardPass.Logits.NONE;
            assertEquals(asked, running.get(i).take(asked ? rows[row++] : null).isPresent());
            if (random.nextInt(4) == 0) {
              running.get(i).share();
            }
          }
          running.removeIf(Generation::hasEnded);
        }
        for (int i = 0; i < all.size(); i++) {
          assertArrayEquals(expected.get(i), all.get(i).finish().tokens(), "seed " + seed);
          all.get(i).close();
        }
        assertEquals(0, cache.stats().storage().pinnedBytes());
      }
    }
  }

  @Test
  void oneThatIsGivenUpAmidItsPromptLeavesNothingHeld() {
    SplittableRandom random = new SplittableRandom(1);
    int[] prompt = randomTokens(random, 60, engine.model());
    try (RadixKvCache cache = new RadixKvCache(config(engine, 16, KvDtype.F32))) {
      try (Generation cancelled =
          new Generation(engine, cache, GenerationRequest.greedy(prompt, 5), false)) {
        engine.forward(new ForwardPass(List.of(cancelled.next(35))));
        assertTrue(cancelled.take(null).isEmpty());
        assertEquals(32, cancelled.share());
        assertFalse(cancelled.hasEnded());
      }
      assertEquals(0, cache.stats().storage().pinnedBytes());
      assertEquals(0, cache.stats().storage().runningBytes());
      GenerationResult next =
          new Generator(engine, cache).generate(GenerationRequest.greedy(prompt, 5));
      assertEquals(32, next.lookup().cachedTokens());
      cache.checkIntegrity();
    }
  }

  /** It found nothing wrong at first; what it goes on with is its own, and wrong by then. */
  @Test
  void whatSpoilsItOnTheWayIsToldToo() {
    int[] prompt = randomTokens(new SplittableRandom(3), 40, engine.model());
    try (KvCache cache =
            new FaultyKvCache(new RadixKvCache(config(engine, 16, KvDtype.F32)), Fault.USUAL);
        Generation generation =
            Generation.waiting(engine, cache, GenerationRequest.greedy(prompt, 3), false)) {
      assertTrue(generation.open());
      engine.forward(new ForwardPass(List.of(generation.next(35))));
      generation.take(null);
      assertEquals("", generation.lookup().fault());
      generation.pause();
      assertTrue(generation.open());
      assertEquals(35, generation.inPlace());
      assertEquals(0, generation.lookup().cachedTokens());
      assertEquals(Fault.USUAL.toString(), generation.lookup().fault());
    }
  }

  @Test
  void itEndsWhenItHasItsTokensOrIsToldTo() {
    SplittableRandom random = new SplittableRandom(2);
    int[] prompt = randomTokens(random, 5, engine.model());
    try (KvCache cache = new RequestCacheProvider().create(config(engine, 16, KvDtype.F32));
        Generation generation =
            new Generation(engine, cache, GenerationRequest.greedy(prompt, 3), true)) {
      for (int i = 0; i < 2; i++) {
        float[][] rows = engine.forward(new ForwardPass(List.of(generation.next(100))));
        generation.take(rows[0]);
        assertFalse(generation.hasEnded());
      }
      generation.stop();
      assertTrue(generation.hasEnded());
      assertThrows(IllegalStateException.class, () -> generation.next(1));
      GenerationResult result = generation.finish();
      assertEquals(2, result.tokens().length);
      assertEquals(2, result.logits().length);
    }
  }
}
