package kv4j.inference;

import static kv4j.inference.EngineTestKit.config;
import static kv4j.inference.EngineTestKit.randomTokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import kv4j.cache.KvCache;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.model.DemoModels;
import kv4j.model.MemoryFormula;
import kv4j.model.Model;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.family.Family;
import kv4j.model.family.ModelInfo;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a model is said to take before it is loaded covers what the engine takes, but not much more.
 */
class ModelInfoTest {
  @ParameterizedTest
  @ValueSource(strings = {"llama", "qwen3", "gpt2"})
  void theEngineTakesNoMoreThanWasSaid(String type) {
    Block block = Map.of("llama", Block.LLAMA, "qwen3", Block.QWEN3, "gpt2", Block.GPT2).get(type);
    boolean gpt2 = type.equals("gpt2");
    Positions positions =
        gpt2
            ? new Positions.Learned()
            : new Positions.Rotary(1e4f, RopePairing.SPLIT, Positions.Scaling.NONE);
    TransformerConfig config =
        new TransformerConfig(
            2, 96, 6, gpt2 ? 6 : 2, 16, 200, 500, 600, 1e-5f, positions, block, true);
    Model model = DemoModels.create(type, config, 1);
    ModelInfo info = new ModelInfo(type, "none", Family.LLAMA, config, 0, Set.of(), List.of());
    EngineOptions options = EngineOptions.defaults();
    assertEquals(ModelInfo.PASS_ROWS, options.prefillChunk());
    try (InferenceEngine engine = InferenceEngine.create(model, options);
        KvCache cache = new RequestCacheProvider().create(config(engine, 16, KvDtype.F32))) {
      int[] prompt = randomTokens(new SplittableRandom(1), options.prefillChunk() + 50, model);
      new Generator(engine, cache).generate(GenerationRequest.greedy(prompt, 1));
      long said = new MemoryFormula(info.config()).arena(options.prefillChunk(), 1);
      assertTrue(engine.arenaBytes() <= said, engine.arenaBytes() + " of " + said);
      assertTrue(engine.arenaBytes() >= 0.8 * said, engine.arenaBytes() + " of " + said);
    }
  }
}
