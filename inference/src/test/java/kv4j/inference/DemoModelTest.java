package kv4j.inference;

import static kv4j.inference.EngineTestKit.assertMatchesStock;
import static kv4j.inference.EngineTestKit.config;
import static kv4j.inference.EngineTestKit.request;
import static kv4j.inference.EngineTestKit.tolerance;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.inference.example.LastPromptCacheProvider;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import org.junit.jupiter.api.Test;

/** The 32-layer demo model, whose answers must depend on the whole prompt. */
class DemoModelTest {
  @Test
  void earlyTokensDecideTheLogitsAndACacheDoesNot() {
    Model model = DemoModels.create(ModelPreset.DEMO_32, 7);
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

      GenerationResult otherFirst = generator.generate(request(changed(prompt, 0), 4, 0), true);
      assertFalse(Arrays.equals(cold.tokens(), otherFirst.tokens()));
      GenerationResult otherSecond = generator.generate(request(changed(prompt, 1), 4, 0), true);
      assertEquals(0, otherSecond.lookup().cachedTokens());
      double difference = 0;
      for (int i = 0; i < cold.logits()[0].length; i++) {
        double by = Math.abs(cold.logits()[0][i] - otherSecond.logits()[0][i]);
        difference = Math.max(difference, by);
      }
      assertTrue(difference > 1_000 * tolerance(cold.logits()[0]), "by only " + difference);
    }
  }

  private static int[] changed(int[] prompt, int position) {
    int[] other = prompt.clone();
    other[position] = (other[position] + 37) % 256;
    return other;
  }
}
