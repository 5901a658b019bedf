package kv4j.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import kv4j.cache.KvCache;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvDtype;
import kv4j.model.ByteTokenizer;
import kv4j.model.Model;
import kv4j.model.family.LoadListener;
import kv4j.model.family.LoadOptions;
import kv4j.model.family.ModelExport;
import kv4j.model.family.ModelLoader;
import kv4j.model.format.WeightType;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * llama.cpp loads what is exported of a trained model in each type, and given what kv4j generates
 * from the same file it goes on with the same token nearly everywhere: not everywhere, as it rounds
 * what it multiplies the blocks with. A file of other blocks than it means would be noise to it.
 */
class ExportTypeTest {
  private static final Path FILES = Path.of("..", "testdata", "stories260K");
  private static final int TOKENS = 512;
  private static final int FIRST_BYTE = 3;
  private static final int FIRST_PIECE = FIRST_BYTE + 256;
  private static final int FIRST_LETTER = 0x4e00;

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"F32, 0", "F16, 2", "Q8_0, 12", "Q4_0, 12"})
  void llamaCppGoesOnWithTheSameTokens(WeightType type, int mostDifferent) throws IOException {
    Path file = folder.resolve("stories.gguf");
    ModelExport.gguf(load(FILES.resolve("stories260K.gguf")), vocabulary(), type, file);
    Model model = load(file);
    JsonNode prompts =
        new ObjectMapper().readTree(FILES.resolve("golden.json").toFile()).get("prompts");
    int different = 0;
    int all = 0;
    try (LlamaModel judge = LlamaCppKit.open(file);
        InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 256));
        KvCache cache =
            new RequestCacheProvider().create(EngineTestKit.config(engine, 16, KvDtype.F32))) {
      Generator generator = new Generator(engine, cache);
      for (JsonNode golden : prompts) {
        JsonNode ids = golden.get("promptTokens");
        int[] prompt = IntStream.range(0, ids.size()).map(i -> ids.get(i).asInt()).toArray();
        int[] ours = generator.generate(GenerationRequest.greedy(prompt, 64)).tokens();
        different += different(judge, prompt, ours);
        all += ours.length;
      }
    }
    System.out.printf(
        "stories260K exported as %s: llama.cpp goes on with another token at %d of %d places%n",
        type, different, all);
    assertEquals(256, all);
    assertTrue(different <= mostDifferent, type + ": " + different + " of " + all + " differ");
  }

  /** At how many places llama.cpp's next token is another, given the same before it. */
  private static int different(LlamaModel judge, int[] prompt, int[] generated) {
    int[] all = IntStream.concat(Arrays.stream(prompt), Arrays.stream(generated)).toArray();
    int different = 0;
    for (int i = 0; i < generated.length; i++) {
      String before = text(Arrays.copyOfRange(all, 1, prompt.length + i)); // it adds the first
      String next =
          judge.complete(
              new InferenceParameters(before)
                  .setNPredict(1)
                  .setTemperature(0)
                  .setIgnoreEos(true)
                  .setCachePrompt(true));
      different += next.equals(text(generated[i])) ? 0 : 1;
    }
    return different;
  }

  /** Each piece is a letter, and each byte, of which the model uses those of ASCII only, itself. */
  private static String text(int... tokens) {
    StringBuilder text = new StringBuilder();
    for (int token : tokens) {
      text.appendCodePoint(token < FIRST_PIECE ? token - FIRST_BYTE : FIRST_LETTER + token);
    }
    return text.toString();
  }

  /** The letters of {@link LlamaCppKit}, and a begin token before every prompt. */
  private static Map<String, Object> vocabulary() {
    Map<String, Object> vocabulary = new HashMap<>(LlamaCppKit.vocabulary());
    for (String list : List.of("tokens", "scores", "token_type")) {
      vocabulary.computeIfPresent(
          "tokenizer.ggml." + list, (key, all) -> ((List<?>) all).subList(0, TOKENS));
    }
    vocabulary.put("tokenizer.ggml.add_bos_token", true);
    return vocabulary;
  }

  private static Model load(Path file) {
    return ModelLoader.load(
        file, LoadOptions.ALL, (source, at) -> new ByteTokenizer(), LoadListener.NONE);
  }
}
