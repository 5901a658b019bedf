package kv4j.inference;

import static kv4j.inference.EngineTestKit.assertGreedy;
import static kv4j.inference.EngineTestKit.assertLogits;
import static kv4j.inference.EngineTestKit.assertMatchesStock;
import static kv4j.inference.EngineTestKit.between;
import static kv4j.inference.EngineTestKit.concat;
import static kv4j.inference.EngineTestKit.config;
import static kv4j.inference.EngineTestKit.forAll;
import static kv4j.inference.EngineTestKit.providers;
import static kv4j.inference.EngineTestKit.randomModel;
import static kv4j.inference.EngineTestKit.randomOptions;
import static kv4j.inference.EngineTestKit.randomTokens;
import static kv4j.inference.EngineTestKit.randomUnfusedOptions;
import static kv4j.inference.EngineTestKit.request;
import static kv4j.inference.EngineTestKit.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvCaches;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A cache changes what is computed again, never what comes out. */
class CachedAgreementTest {
  private static final int[] BLOCK_TOKENS = {1, 7, 16, 64};

  static List<String> caches() {
    return List.copyOf(providers().keySet());
  }

  static List<String> sharingCaches() {
    return caches().stream().filter(name -> !List.of("none", "request").contains(name)).toList();
  }

  /** Requests of a conversation, of a shared prefix and of one that leaves it halfway. */
  @ParameterizedTest
  @MethodSource("caches")
  void everyRequestMatchesTheStockSession(String name) {
    KvCacheProvider provider = providers().get(name);
    long[] cachedTokens = {0};
    forAll(
        2,
        random -> {
          Model model = randomModel(random);
          try (InferenceEngine engine = InferenceEngine.create(model, randomOptions(random))) {
            for (int blockTokens : BLOCK_TOKENS) {
              try (KvCache cache = provider.create(config(engine, blockTokens, KvDtype.F32))) {
                cachedTokens[0] += checkRequests(engine, cache, random);
              }
            }
          }
        });
    assertEquals(sharingCaches().contains(name), cachedTokens[0] > 0, "tokens were cached");
  }

  @ParameterizedTest
  @MethodSource("caches")
  void theSameHoldsWhereNothingIsFused(String name) {
    forAll(
        1,
        random -> {
          Model model = randomModel(random);
          try (InferenceEngine engine =
                  InferenceEngine.create(model, randomUnfusedOptions(random));
              KvCache cache = providers().get(name).create(config(engine, 7, KvDtype.F32))) {
            checkRequests(engine, cache, random);
          }
        });
  }

  /** Runs requests one after another, each checked, and returns how many tokens were cached. */
  private static long checkRequests(
      InferenceEngine engine, KvCache cache, SplittableRandom random) {
    Model model = engine.model();
    int prefix = between(random, 2, 100);
    int[] shared = randomTokens(random, prefix, model);
    int cut = between(random, 1, prefix - 1);
    long cachedTokens = 0;
    GenerationRequest last = request(shared, 1, prefix);
    GenerationResult answer = null;
    for (int i = 0; i < 5; i++) {
      int[] more = randomTokens(random, between(random, 1, 20), model);
      int newTokens = between(random, 1, 3);
      GenerationRequest next =
          switch (i) {
            case 0, 1 -> request(concat(shared, more), newTokens, prefix);
            case 2 -> request(concat(Arrays.copyOf(shared, cut), more), newTokens, cut);
            case 3 -> request(shared, newTokens, prefix);
            default -> {
              int[] conversation = text(last, answer);
              yield request(concat(conversation, more), newTokens, conversation.length);
            }
          };
      answer = new Generator(engine, cache).generate(next, true);
      last = next;
      String what =
          "request " + i + " " + answer.lookup() + ", " + cache.layout() + " " + model.name();
      assertMatchesStock(model, next, answer, what);
      assertEquals(next.prompt().length, answer.lookup().promptTokens(), what);
      assertTrue(answer.lookup().cachedTokens() < next.prompt().length, what);
      cachedTokens += answer.lookup().cachedTokens();
    }
    return cachedTokens;
  }

  /**
   * With fewer bits a last-bit difference may round to another number, so here the passes of both
   * runs have the same rows: chunks of a block, a prefix of whole blocks.
   */
  @ParameterizedTest
  @MethodSource("sharingCaches")
  void aCacheOfFewerBitsMatchesItsOwnUncachedRun(String name) {
    KvCacheProvider provider = providers().get(name);
    forAll(
        2,
        random -> {
          Model model = randomModel(random);
          for (int blockTokens : BLOCK_TOKENS) {
            EngineOptions options = new EngineOptions(between(random, 1, 3), blockTokens);
            try (InferenceEngine engine = InferenceEngine.create(model, options)) {
              for (KvDtype dtype : KvDtype.values()) {
                KvCacheConfig config = config(engine, blockTokens, dtype);
                checkAgainstUncached(engine, provider, config, random);
              }
            }
          }
        });
  }

  private static void checkAgainstUncached(
      InferenceEngine engine,
      KvCacheProvider provider,
      KvCacheConfig config,
      SplittableRandom random) {
    int blockTokens = config.layout().blockTokens();
    int prefix = blockTokens * between(random, 1, 100 / blockTokens);
    int[] shared = randomTokens(random, prefix, engine.model());
    try (KvCache cache = provider.create(config);
        KvCache uncached = new RequestCacheProvider().create(config)) {
      for (int i = 0; i < 3; i++) {
        int[] suffix = randomTokens(random, between(random, 1, 20), engine.model());
        suffix[0] = i; // no two prompts share more than the prefix
        GenerationRequest next = request(concat(shared, suffix), 3, prefix);
        GenerationResult actual = new Generator(engine, cache).generate(next, true);
        GenerationResult expected = new Generator(engine, uncached).generate(next, true);
        String what = "request " + i + ", " + config.layout() + " " + engine.model().name();
        assertEquals(i == 0 ? 0 : prefix, actual.lookup().cachedTokens(), what);
        for (int t = 0; t < 3; t++) {
          assertLogits(expected.logits()[t], actual.logits()[t], what + ", new token " + t);
          assertGreedy(expected.logits()[t], actual.tokens()[t], what);
          if (expected.tokens()[t] != actual.tokens()[t]) {
            break; // a tie: from here on the texts differ
          }
        }
      }
    }
  }

  @Test
  void fewerBitsGiveOtherLogits() {
    SplittableRandom random = new SplittableRandom(3);
    Model model = randomModel(random);
    try (InferenceEngine engine = InferenceEngine.create(model, randomOptions(random))) {
      GenerationRequest request = GenerationRequest.greedy(randomTokens(random, 50, model), 1);
      List<String> seen = new ArrayList<>();
      for (KvDtype dtype : KvDtype.values()) {
        KvCache cache = new RequestCacheProvider().create(config(engine, 16, dtype));
        seen.add(Arrays.toString(new Generator(engine, cache).generate(request, true).logits()[0]));
      }
      assertEquals(KvDtype.values().length, seen.stream().distinct().count());
    }
  }

  @Test
  void theChecksNoticeKeysShiftedInOneLayer() {
    assertNoticed(16, config -> WrongCache.shiftingKeys(config, config.layout().layers() - 1));
  }

  @Test
  void aCacheThatForgetsATokenIsRefused() {
    Model model = DemoModels.create(ModelPreset.TINY, 2);
    for (boolean fuse : new boolean[] {true, false}) {
      try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 64, fuse));
          KvCache cache = WrongCache.droppingTheOldestToken(config(engine, 1, KvDtype.F32))) {
        String refusal =
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new Generator(engine, cache).generate(request(new int[] {1, 2, 3}, 3, 0)))
                .getMessage();
        assertEquals("the cache gave keys and values of 3 tokens, but there are 4", refusal);
      }
    }
  }

  @Test
  void theChecksNoticeAnotherPromptsPrefix() {
    assertNoticed(7, WrongCache::servingAnotherPrompt);
  }

  /** For every seed the check that right caches pass must fail. */
  private static void assertNoticed(int blockTokens, Function<KvCacheConfig, KvCache> wrong) {
    forAll(
        5,
        random -> {
          TransformerConfig shape =
              new TransformerConfig(
                  3, 40, 6, 3, 10, 50, 99, 200, 1e-5f, 10_000f, RopePairing.SPLIT, false);
          Model model = randomModel(shape, random);
          try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 64));
              KvCache cache = wrong.apply(config(engine, blockTokens, KvDtype.F32))) {
            AssertionError noticed =
                assertThrows(
                    AssertionError.class,
                    () -> {
                      for (int i = 0; i < 2; i++) {
                        int[] prompt = randomTokens(random, between(random, 20, 60), model);
                        GenerationRequest next = request(prompt, 3, 10);
                        GenerationResult result = new Generator(engine, cache).generate(next, true);
                        assertMatchesStock(model, next, result, "request " + i);
                      }
                    });
            assertTrue(noticed.getMessage().contains("logit"), noticed.getMessage());
          }
        });
  }

  @Test
  void oneEarlyTokenOfTheSharedPrefixChangesWhatFollows() {
    SplittableRandom random = new SplittableRandom(9);
    Model model = randomModel(random);
    try (InferenceEngine engine = InferenceEngine.create(model, randomOptions(random))) {
      for (String name : caches()) {
        KvCache cache =
            KvCaches.create(name, config(engine, 7, KvDtype.F32), getClass().getClassLoader());
        int[] prompt = randomTokens(random, 60, model);
        int[] other = prompt.clone();
        other[2] = (other[2] + 1) % model.config().vocabulary();
        Generator generator = new Generator(engine, cache);
        float[] first = generator.generate(request(prompt, 1, 40), true).logits()[0];
        float[] second = generator.generate(request(other, 1, 40), true).logits()[0];
        assertNotEquals(Arrays.toString(first), Arrays.toString(second), name);
      }
    }
  }
}
