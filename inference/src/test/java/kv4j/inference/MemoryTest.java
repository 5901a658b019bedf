package kv4j.inference;

import static kv4j.inference.EngineTestKit.config;
import static kv4j.inference.EngineTestKit.randomTokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.SplittableRandom;
import kv4j.cache.KvCache;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.family.Family;
import kv4j.model.family.ModelInfo;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory outside the Java heap. */
class MemoryTest {
  private static final int MOST_COLLECTIONS = 200;

  /**
   * Everything that ND4J allocates has a pointer that JavaCPP counts until it is collected. A
   * buffer that a session, a plan or a cache held on to would never be.
   */
  @ParameterizedTest
  @CsvSource({"true, 20, 200", "false, 5, 40"})
  void afterManyRequestsNoMoreIsHeldThanAfterFew(boolean fuse, int few, int many) {
    Model model = DemoModels.create(ModelPreset.TINY, 8);
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(1, 64, fuse));
        KvCache cache = new RequestCacheProvider().create(config(engine, 16, KvDtype.F32))) {
      Generator generator = new Generator(engine, cache);
      run(generator, model, few);
      long arena = engine.arenaBytes();
      long held = pointersHeld(0);
      run(generator, model, many - few);
      assertEquals(arena, engine.arenaBytes());
      long heldNow = pointersHeld(held);
      assertTrue(heldNow <= held, heldNow + " pointers after " + held);
    }
  }

  /**
   * What a model is said to take before it is loaded covers what the engine takes, and not much
   * more.
   */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "qwen3", "gpt2"})
  void theEngineTakesNoMoreThanWasSaid(String type) {
    Block block = Map.of("llama", Block.LLAMA, "qwen3", Block.QWEN3, "gpt2", Block.GPT2).get(type);
    Positions positions =
        type.equals("gpt2")
            ? new Positions.Learned()
            : new Positions.Rotary(1e4f, RopePairing.SPLIT, Positions.Scaling.NONE);
    TransformerConfig config =
        new TransformerConfig(
            2,
            96,
            6,
            type.equals("gpt2") ? 6 : 2,
            16,
            200,
            500,
            512,
            1e-5f,
            positions,
            block,
            true);
    Model model = DemoModels.create(type, config, 1);
    ModelInfo info = new ModelInfo(type, "none", Family.LLAMA, config);
    EngineOptions options = EngineOptions.defaults();
    assertEquals(ModelInfo.PASS_ROWS, options.prefillChunk());
    try (InferenceEngine engine = InferenceEngine.create(model, options);
        KvCache cache = new RequestCacheProvider().create(config(engine, 16, KvDtype.F32))) {
      int[] prompt = randomTokens(new SplittableRandom(1), 300, model);
      new Generator(engine, cache).generate(GenerationRequest.greedy(prompt, 1));
      long said = info.workingBytes(options.prefillChunk());
      assertTrue(engine.arenaBytes() <= said, engine.arenaBytes() + " of " + said);
      assertTrue(engine.arenaBytes() >= 0.8 * said, engine.arenaBytes() + " of " + said);
    }
  }

  private static void run(Generator generator, Model model, int requests) {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < requests; i++) {
      int[] prompt = randomTokens(random, 100 - i % 20, model);
      generator.generate(GenerationRequest.greedy(prompt, 2));
    }
  }

  /** Pointers still held once garbage is gone: when there are as few as hoped, or no fewer come. */
  private static long pointersHeld(long hoped) {
    long least = Pointer.totalCount();
    int unchanged = 0;
    for (int i = 0; i < MOST_COLLECTIONS && least > hoped && unchanged < 20; i++) {
      System.gc();
      long now = Pointer.totalCount();
      unchanged = now < least ? 0 : unchanged + 1;
      least = Math.min(least, now);
    }
    return least;
  }
}
