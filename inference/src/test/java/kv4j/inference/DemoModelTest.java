package kv4j.inference;

import static kv4j.inference.EngineTestKit.assertMatchesStock;
import static kv4j.inference.EngineTestKit.config;
import static kv4j.inference.EngineTestKit.request;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.inference.example.LastPromptCacheProvider;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import org.junit.jupiter.api.Test;

/** The 32-layer demo model, whose answers must depend on the whole prompt. */
class DemoModelTest {
  private static final long SEED = Long.getLong("kv4j.test.seed", 1);

  @Test
  void aCacheChangesNothing() {
    Model model = DemoModels.create(ModelPreset.S, 7);
    KvCacheProvider lastPrompt = new LastPromptCacheProvider();
    int[] prompt = model.tokenizer().encode("In a quiet town by the sea lived a careful baker.");
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 11));
        KvCache cache = lastPrompt.create(config(engine, 16, KvDtype.F32))) {
      Generator generator = new Generator(engine, cache);
      GenerationRequest request = request(prompt, 4, 0);
      GenerationResult cold = generator.generate(request, true);
      GenerationResult warm = generator.generate(request, true);
      assertEquals(48, warm.lookup().cachedTokens());
      assertMatchesStock(model, request, cold, "cold");
      assertMatchesStock(model, request, warm, "warm");
      assertArrayEquals(cold.tokens(), warm.tokens());
    }
  }

  @Test
  void anEarlyTokenChangesWhatIsGenerated() {
    int newTokens = 12;
    Model model = DemoModels.create(ModelPreset.S, 42);
    Random random = new Random(SEED);
    int changed = 0;
    int distinct = 0;
    try (InferenceEngine engine = InferenceEngine.create(model, EngineOptions.defaults());
        KvCache cache = new RequestCacheProvider().create(config(engine, 16, KvDtype.F32))) {
      Generator generator = new Generator(engine, cache);
      for (int i = 0; i < 10; i++) {
        int[] prompt = random.ints(300, 32, 127).toArray();
        int[] tokens = generator.generate(request(prompt, newTokens, 0)).tokens();
        distinct += (int) Arrays.stream(tokens).distinct().count();
        int[] other = changed(prompt, random.nextInt(16));
        if (!Arrays.equals(tokens, generator.generate(request(other, newTokens, 0)).tokens())) {
          changed++;
        }
      }
    }
    assertTrue(changed >= 9, "only " + changed + " of 10 changed, seed " + SEED);
    assertTrue(distinct >= 40, distinct + " distinct tokens, seed " + SEED);
  }

  private static int[] changed(int[] prompt, int position) {
    int[] other = prompt.clone();
    other[position] = (other[position] + 37) % 256;
    return other;
  }
}
