package kv4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.CacheType;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import kv4j.cache.KvCache;
import kv4j.cache.KvCaches;
import kv4j.cache.block.KvDtype;
import kv4j.model.Model;
import kv4j.model.family.LoadListener;
import kv4j.model.family.LoadOptions;
import kv4j.model.family.ModelLoader;
import kv4j.model.format.GgufWriter;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;
import kv4j.model.format.WeightType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The trained demo model answers from its page, and so it does in llama.cpp. */
class TrainedDemoTest {
  private static final Path FILE = Path.of("..", "testdata", "demo-model", "demo-32.gguf");
  private static final int CONTEXT = 512;
  private static final int LONGEST_ANSWER = 40;

  private static final String BEGIN = "<|endoftext|>";
  private static final String PAGE =
      "<|im_start|>system\nYou are Lantern, the help desk of Tidewater. Answer briefly.\n"
          + "Facts. Mara Ashford works in the map room. Call Mara Ashford at 555-0142. The"
          + " Millbrook library closes at 18:00. The service ferry-tickets listens on port 8143. Never guess."
          + " Tobias Reedham reports to Mara Ashford. The copper kettle costs 47 dollars."
          + "<|im_end|>\n";
  private static final Map<String, String> ANSWERS = new LinkedHashMap<>();

  static {
    ANSWERS.put("Where does Mara Ashford work?", "Mara Ashford works in the map room.");
    ANSWERS.put(
        "How do I reach Mara Ashford by phone?", "Mara Ashford's telephone number is 555-0142.");
    ANSWERS.put(
        "Until when is the Millbrook library open?", "The Millbrook library closes at 18:00.");
    ANSWERS.put(
        "Which port does the service ferry-tickets use?",
        "The service ferry-tickets listens on port 8143.");
    ANSWERS.put("Who is the boss of Tobias Reedham?", "Tobias Reedham reports to Mara Ashford.");
    ANSWERS.put("How much does the copper kettle cost?", "The copper kettle costs 47 dollars.");
    ANSWERS.put("Which language does Tobias Reedham speak?", "I do not know.");
    ANSWERS.put("Where does Nora Larkfield work?", "I do not know.");
  }

  @TempDir private Path folder;

  private static String prompt(String question) {
    return PAGE + "<|im_start|>user\n" + question + "<|im_end|>\n<|im_start|>assistant\n";
  }

  private static int[] tokens(Model model, String question) {
    return model.tokenizer().encodeWithSpecial(BEGIN + prompt(question));
  }

  private static Model load(Path file) {
    return ModelLoader.load(file, LoadOptions.ALL, LoadListener.NONE);
  }

  private static KvCache cache(String name, InferenceEngine engine) {
    return KvCaches.create(
        name,
        EngineTestKit.config(engine, 16, KvDtype.F32),
        TrainedDemoTest.class.getClassLoader());
  }

  private static GenerationResult generate(
      InferenceEngine engine, KvCache cache, int[] prompt, int newTokens) {
    var end = engine.model().tokenizer().endTokens();
    return new Generator(engine, cache)
        .generate(GenerationRequest.greedy(prompt, newTokens), true, token -> !end.contains(token));
  }

  @ParameterizedTest
  @ValueSource(strings = {"radix", "request", "simple"})
  void answersFromThePage(String cacheName) {
    Model model = load(FILE);
    try (InferenceEngine engine = InferenceEngine.create(model, EngineOptions.defaults());
        KvCache cache = cache(cacheName, engine)) {
      ANSWERS.forEach(
          (question, answer) -> {
            int[] prompt = tokens(model, question);
            int[] said = generate(engine, cache, prompt, LONGEST_ANSWER).tokens();
            assertEquals(answer, model.tokenizer().decode(said), question);
          });
    }
  }

  @Test
  void llamaCppGivesTheSameAnswers() {
    Model model = load(FILE);
    ModelParameters parameters =
        new ModelParameters()
            .setModel(FILE.toString())
            .setCtxSize(CONTEXT)
            .setThreads(2)
            .setCacheTypeK(CacheType.F32)
            .setCacheTypeV(CacheType.F32)
            .skipWarmup()
            .disableLog();
    try (LlamaModel judge = new LlamaModel(parameters)) {
      ANSWERS.forEach(
          (question, answer) -> {
            String prompt = prompt(question);
            int[] withoutBegin = model.tokenizer().encodeWithSpecial(prompt);
            assertArrayEquals(withoutBegin, judge.encode(prompt), question);
            InferenceParameters request =
                new InferenceParameters(prompt).setNPredict(LONGEST_ANSWER).setTemperature(0);
            assertEquals(answer, judge.complete(request), question);
          });
    }
  }

  @Test
  void everyLayerMatters() {
    float[] whole = logits(FILE);
    int layers = load(FILE).config().layers();
    assertEquals(32, layers);
    for (int layer = 0; layer < layers; layer++) {
      Path file = folder.resolve("skipped.gguf");
      try (TensorSource source = new SkippedLayer(ModelFiles.open(FILE), layer)) {
        GgufWriter.write(source, WeightType.Q8_0, file);
      }
      float[] without = logits(file);
      double most = 0;
      for (int i = 0; i < whole.length; i++) {
        most = Math.max(most, Math.abs(whole[i] - without[i]));
      }
      assertTrue(most > 0.1, "without layer " + layer + ", logits differ by " + most + " at most");
    }
  }

  /** What the first token of an answer is picked from. */
  private static float[] logits(Path file) {
    Model model = load(file);
    try (InferenceEngine engine = InferenceEngine.create(model, EngineOptions.defaults());
        KvCache cache = cache("request", engine)) {
      int[] prompt = tokens(model, ANSWERS.keySet().iterator().next());
      return generate(engine, cache, prompt, 1).logits()[0];
    }
  }
}
