package kv4j.inference;

import static kv4j.inference.EngineTestKit.assertMatchesStock;
import static kv4j.inference.EngineTestKit.config;
import static kv4j.inference.EngineTestKit.newSequence;
import static kv4j.inference.EngineTestKit.placeholders;
import static kv4j.inference.EngineTestKit.providers;
import static kv4j.inference.EngineTestKit.randomTokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.pass.ForwardPass;
import kv4j.model.DemoModels;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Bad input and hooks that throw reach the caller as exceptions and leave a working engine. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FailureTest {
  private static Model model;

  @BeforeAll
  static void createModel() {
    model = DemoModels.create(ModelPreset.TINY, 1);
  }

  static List<EngineOptions> options() {
    return List.of(
        new EngineOptions(1, 512),
        new EngineOptions(2, 512),
        new EngineOptions(3, 512),
        new EngineOptions(2, 512, false));
  }

  private static GenerationRequest request(int prompt, int newTokens) {
    int[] tokens = randomTokens(new SplittableRandom(prompt), prompt, model);
    return GenerationRequest.greedy(tokens, newTokens);
  }

  private static void assertWorks(InferenceEngine engine, KvCache cache) {
    GenerationRequest request = request(20, 3);
    GenerationResult result = new Generator(engine, cache).generate(request, true);
    assertMatchesStock(model, request, result, "after the failure");
  }

  @Test
  void aPromptThatDoesNotFitTheContextIsRefusedBeforeAnythingRuns() {
    int context = model.config().context();
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 64));
        KvCache cache = new RequestCacheProvider().create(config(engine, 16, KvDtype.F32))) {
      Generator generator = new Generator(engine, cache);
      GenerationRequest tooLong = request(context, 1);
      Exception refusal =
          assertThrows(IllegalArgumentException.class, () -> generator.generate(tooLong));
      assertEquals(
          "a prompt of 4096 tokens and 1 new ones do not fit the model's context of 4096 tokens",
          refusal.getMessage());
      assertEquals(0, cache.stats().lookups().count());
    }
  }

  @ParameterizedTest
  @MethodSource("options")
  void aTokenOutsideTheVocabularyIsRefused(EngineOptions options) {
    try (InferenceEngine engine = InferenceEngine.create(model, options)) {
      providers()
          .forEach(
              (name, provider) -> {
                KvCache cache = provider.create(config(engine, 16, KvDtype.F32));
                Generator generator = new Generator(engine, cache);
                for (int wrong : new int[] {-1, model.config().vocabulary()}) {
                  GenerationRequest request = request(20, 2);
                  request.prompt()[13] = wrong;
                  Exception refusal =
                      assertThrows(
                          IllegalArgumentException.class, () -> generator.generate(request), name);
                  assertEquals(
                      "token " + wrong + " is not in the vocabulary of 258", refusal.getMessage());
                }
                assertWorks(engine, cache);
              });
    }
  }

  @ParameterizedTest
  @MethodSource("options")
  void aPositionBeyondTheContextIsRefused(EngineOptions options) {
    int beyond = model.config().context() + 1;
    try (InferenceEngine engine = InferenceEngine.create(model, options);
        KvSequence sequence = newSequence(engine)) {
      int[] tokens = new int[beyond];
      Exception refusal =
          assertThrows(
              IllegalArgumentException.class, () -> engine.forward(sequence, tokens, 0, beyond));
      assertEquals(
          "position 4096 is beyond the model's context of 4096 tokens", refusal.getMessage());
      assertWorks(engine, new RequestCacheProvider().create(config(engine, 16, KvDtype.F32)));
    }
  }

  @ParameterizedTest
  @MethodSource("options")
  void aHookThatThrowsReachesTheCallerAndLeavesAWorkingEngine(EngineOptions options) {
    try (InferenceEngine engine = InferenceEngine.create(model, options)) {
      for (int layer = 0; layer < model.config().layers(); layer++) {
        RuntimeException failure = new RuntimeException("hook of layer " + layer);
        KvCache failing = WrongCache.failing(config(engine, 16, KvDtype.F32), layer, failure);
        Generator generator = new Generator(engine, failing);
        for (int i = 0; i < 3; i++) {
          GenerationRequest request = request(100, 1);
          assertSame(
              failure, assertThrows(RuntimeException.class, () -> generator.generate(request)));
        }
      }
      assertWorks(engine, new RequestCacheProvider().create(config(engine, 16, KvDtype.F32)));
    }
  }

  @Test
  void graphOutputRefusesPositionsThatAreNotThoseOfAWholeSequence() {
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 64))) {
      Map<String, INDArray> wrong = new HashMap<>(placeholders(new int[] {1, 2, 3}));
      wrong.get(GraphNames.POSITIONS).putScalar(1, 2);
      Exception refusal =
          assertThrows(
              IllegalArgumentException.class,
              () -> engine.model().graph().output(wrong, GraphNames.LOGITS));
      assertEquals("positions must count from 0, but number 1 is 2", refusal.getMessage());
    }
  }

  @Test
  void aCacheForAnotherShapeIsRefusedWhereverTheyMeet() {
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 64))) {
      KvLayout own = engine.layout(16, KvDtype.F32);
      for (KvLayout other :
          List.of(
              new KvLayout(own.layers() + 1, own.kvHeads(), own.headDim(), 16, KvDtype.F32),
              new KvLayout(own.layers(), own.kvHeads() + 1, own.headDim(), 16, KvDtype.F32),
              new KvLayout(own.layers(), own.kvHeads(), own.headDim() + 2, 16, KvDtype.F32))) {
        try (KvCache cache = new RequestCacheProvider().create(KvCacheConfig.of(other, 1 << 20));
            KvSequence sequence = cache.open(KvRequest.of(1, 2, 3))) {
          for (Executable meeting :
              List.<Executable>of(
                  () -> new Generator(engine, cache),
                  () -> engine.forward(sequence, new int[] {1, 2, 3}, 0, 3))) {
            String refusal = assertThrows(IllegalArgumentException.class, meeting).getMessage();
            assertTrue(refusal.startsWith("the cache is for " + other.layers()), refusal);
          }
          assertEquals(0, sequence.length());
        }
      }
      KvLayout sameShape = engine.layout(8, KvDtype.BF16);
      new Generator(engine, new RequestCacheProvider().create(KvCacheConfig.of(sameShape, 1)));
    }
  }

  @Test
  void aSaltSeparatesRequests() {
    int[] prompt = new SplittableRandom(5).ints(40, 0, model.config().vocabulary()).toArray();
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 64));
        KvCache cache = new RadixKvCache(config(engine, 16, KvDtype.F32))) {
      Generator generator = new Generator(engine, cache);
      for (int expected : new int[] {0, 39}) {
        for (String salt : List.of("", "one", "other")) {
          KvRequest lookup = KvRequest.of(prompt).withSalt(salt);
          GenerationResult result =
              generator.generate(new GenerationRequest(lookup, 1, Sampling.GREEDY));
          assertEquals(expected, result.lookup().cachedTokens(), salt);
        }
      }
    }
  }

  @Test
  void aPassThatDoesNotGoOnWhereItsSequenceEndsIsRefused() {
    int[] tokens = {1, 2, 3, 4, 5};
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 64));
        KvCache cache = new RequestCacheProvider().create(config(engine, 16, KvDtype.F32));
        KvSequence sequence = cache.open(KvRequest.of(tokens))) {
      engine.forward(sequence, tokens, 0, 3);
      for (int from : new int[] {2, 4}) {
        String refusal =
            assertThrows(
                    IllegalArgumentException.class, () -> engine.forward(sequence, tokens, from, 5))
                .getMessage();
        assertEquals(
            "a pass that begins at position "
                + from
                + ", but 3 tokens of its sequence are in place",
            refusal);
      }
      ForwardPass.Segment segment =
          new ForwardPass.Segment(sequence, tokens, 3, 5, ForwardPass.Logits.LAST);
      assertThrows(
          IllegalArgumentException.class, () -> new ForwardPass(List.of(segment, segment)));
      engine.forward(sequence, tokens, 3, 5);
      assertEquals(5, sequence.length());
    }
  }

  @Test
  void logitsThatAreNoNumbersAreAnError() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      Model broken = DemoModels.create(ModelPreset.TINY, 3);
      broken.graph().getVariable(GraphNames.FINAL_NORM_GAIN).getArr().putScalar(5, bad);
      try (InferenceEngine engine = InferenceEngine.create(broken, new EngineOptions(2, 64));
          KvCache cache = new RadixKvCache(config(engine, 16, KvDtype.F32))) {
        String error =
            assertThrows(
                    IllegalStateException.class,
                    () ->
                        new Generator(engine, cache)
                            .generate(GenerationRequest.greedy(new int[] {1, 2, 3}, 4)))
                .getMessage();
        assertTrue(error.startsWith("the model's logits are not finite: that of token "), error);
      }
    }
  }

  @Test
  void optionsAreValidated() {
    assertThrows(IllegalArgumentException.class, () -> new EngineOptions(0, 1));
    assertThrows(IllegalArgumentException.class, () -> new EngineOptions(1, 0));
    int[] prompt = {1, 2};
    assertThrows(IllegalArgumentException.class, () -> GenerationRequest.greedy(new int[0], 1));
    assertThrows(IllegalArgumentException.class, () -> GenerationRequest.greedy(prompt, 0));
    assertThrows(IllegalArgumentException.class, () -> EngineTestKit.request(prompt, 1, 3));
  }
}
