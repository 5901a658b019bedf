package kv4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.IntStream;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCaches;
import kv4j.cache.KvRequest;
import kv4j.cache.block.KvDtype;
import kv4j.model.ByteTokenizer;
import kv4j.model.Model;
import kv4j.model.family.LoadListener;
import kv4j.model.family.LoadOptions;
import kv4j.model.family.ModelLoader;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A trained model gives llama.cpp's tokens and probabilities, with every cache. */
class Stories260kTest {
  private static final Path FILES = Path.of("..", "testdata", "stories260K");

  @ParameterizedTest
  @CsvSource({
    "stories260K.gguf, radix, 256",
    "stories260K.bin, radix, 7",
    "stories260K.gguf, simple, 16",
    "stories260K.bin, request, 1",
    "stories260K.gguf, none, 256"
  })
  void givesTheTokensAndProbabilitiesOfLlamaCpp(String file, String cacheName, int chunk)
      throws IOException {
    Model model =
        ModelLoader.load(
            FILES.resolve(file),
            LoadOptions.ALL,
            (source, at) -> new ByteTokenizer(),
            LoadListener.NONE);
    JsonNode prompts =
        new ObjectMapper().readTree(FILES.resolve("golden.json").toFile()).get("prompts");
    assertEquals(4, prompts.size());
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, chunk));
        KvCache cache =
            KvCaches.create(
                cacheName,
                KvCacheConfig.of(engine.layout(16, KvDtype.F32), 1 << 26),
                getClass().getClassLoader())) {
      for (JsonNode golden : prompts) {
        check(golden, engine, cache);
        check(golden, engine, cache); // from the cache now, where it keeps something
      }
    }
  }

  private static void check(JsonNode golden, InferenceEngine engine, KvCache cache) {
    int[] prompt = ids(golden.get("promptTokens"));
    int[] expected = ids(golden.get("greedyTokens"));
    KvRequest lookup = new KvRequest(prompt, prompt.length - 1, "", "");
    GenerationResult result =
        new Generator(engine, cache)
            .generate(new GenerationRequest(lookup, expected.length, Sampling.GREEDY), true);
    assertArrayEquals(expected, result.tokens(), golden.get("prompt").asText());
    JsonNode steps = golden.get("topProbabilities");
    assertEquals(expected.length, steps.size());
    for (int step = 0; step < expected.length; step++) {
      double[] shares = softmax(result.logits()[step]);
      assertEquals(3, steps.get(step).size());
      for (JsonNode pair : steps.get(step)) {
        assertEquals(pair.get(1).asDouble(), shares[pair.get(0).asInt()], 1e-4, "step " + step);
      }
    }
  }

  private static int[] ids(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
  }

  private static double[] softmax(float[] logits) {
    double[] shares = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      shares[i] = Math.exp(logits[i]);
      sum += shares[i];
    }
    for (int i = 0; i < shares.length; i++) {
      shares[i] /= sum;
    }
    return shares;
  }
}
