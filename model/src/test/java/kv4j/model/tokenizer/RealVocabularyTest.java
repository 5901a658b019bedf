package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real vocabularies: the ids that llama.cpp gives, and nothing lost on the way back. */
class RealVocabularyTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "command-r",
        "deepseek-coder",
        "deepseek-llm",
        "falcon",
        "gpt-2",
        "llama-bpe",
        "llama-spm",
        "mpt",
        "phi-3",
        "qwen2",
        "qwen35",
        "refact",
        "starcoder"
      })
  void givesTheExpectedIds(String name) throws IOException {
    assertGivesTheExpectedIds(GgufTokenizers.from(RealVocabularies.metadata(name)), name);
  }

  /** As it was published: {@code vocab.json} and {@code merges.txt}. */
  @Test
  void gpt2FromItsOriginalFiles(@TempDir Path folder) throws IOException {
    Files.copy(SharedFiles.file("tokenizers/gpt2_vocab.json"), folder.resolve("vocab.json"));
    Files.copy(SharedFiles.file("tokenizers/gpt2_merges.txt"), folder.resolve("merges.txt"));
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"tokenizer_class\": \"GPT2Tokenizer\", \"eos_token\": \"<|endoftext|>\"}");
    Tokenizer tokenizer = HuggingFaceTokenizer.read(folder);
    assertGivesTheExpectedIds(tokenizer, "gpt-2");
    assertEquals(50257, tokenizer.vocabulary());
    assertEquals(50256, tokenizer.endToken());
    assertFalse(tokenizer.addsBegin());
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"BartTokenizer\"}");
    String message =
        assertThrows(IllegalArgumentException.class, () -> HuggingFaceTokenizer.read(folder))
            .getMessage();
    assertTrue(message.contains("'BartTokenizer'"), message);
  }

  @Test
  void gpt2AsHuggingFaceFolder(@TempDir Path folder) throws IOException {
    Map<String, Object> metadata = RealVocabularies.metadata("gpt-2");
    ObjectNode json =
        HuggingFaceFolder.byteLevel(
            strings(metadata, "tokenizer.ggml.tokens"), strings(metadata, "tokenizer.ggml.merges"));
    HuggingFaceFolder.addToken(json, 50256, "<|endoftext|>", true);
    Files.writeString(folder.resolve("tokenizer.json"), json.toString());
    assertGivesTheExpectedIds(HuggingFaceTokenizer.read(folder), "gpt-2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-2", "llama-spm", "phi-3"})
  void losesNothing(String name) throws IOException {
    Tokenizer tokenizer = GgufTokenizers.from(RealVocabularies.metadata(name));
    RoundTrips.assertRoundTrips(tokenizer, 1000, 71);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-2:<|endoftext|>", "llama-spm:</s>"})
  void controlTokensInTextAreText(String vocabularyAndToken) throws IOException {
    String name = vocabularyAndToken.split(":")[0];
    String special = vocabularyAndToken.split(":")[1];
    Tokenizer tokenizer = GgufTokenizers.from(RealVocabularies.metadata(name));
    String text = "a " + special + " b";
    assertEquals(text, tokenizer.decode(tokenizer.encode(text)));
    assertTrue(
        IntStream.of(tokenizer.encode(text)).noneMatch(token -> token == tokenizer.endToken()));
    assertTrue(
        IntStream.of(tokenizer.encodeWithSpecial(text))
            .anyMatch(token -> token == tokenizer.endToken()));
    assertArrayEquals(
        tokenizer.encode(text), tokenizer.encodeWithSpecial(tokenizer.escapeSpecial(text)));
  }

  @Test
  void stories260kInBothFormats() throws IOException {
    JsonNode golden = JSON.readTree(SharedFiles.file("models/stories260K/golden.json").toFile());
    List<Tokenizer> tokenizers =
        List.of(
            Llama2cTokenizers.read(SharedFiles.file("models/stories260K/tok512.bin")),
            gguf("models/stories260K/stories260K.gguf"));
    for (Tokenizer tokenizer : tokenizers) {
      assertEquals(512, tokenizer.vocabulary());
      assertTrue(tokenizer.addsBegin());
      for (JsonNode prompt : golden.path("prompts")) {
        int[] tokens = tokenizer.encode(prompt.path("prompt").asText());
        int[] begun =
            IntStream.concat(IntStream.of(tokenizer.beginToken()), IntStream.of(tokens)).toArray();
        assertArrayEquals(ints(prompt.path("promptTokens")), begun);
        int[] greedy = ints(prompt.path("greedyTokens"));
        String text = new String(tokenizer.decodeBytes(greedy), StandardCharsets.UTF_8);
        assertEquals(prompt.path("greedyText").asText().strip(), text.strip());
      }
    }
  }

  private static void assertGivesTheExpectedIds(Tokenizer tokenizer, String name)
      throws IOException {
    List<String> texts = RealVocabularies.texts(name);
    List<int[]> ids = RealVocabularies.ids(name);
    int checked = 0;
    for (int i = 0; i < ids.size(); i++) {
      String text = texts.get(i);
      assertArrayEquals(ids.get(i), tokenizer.encode(text), "text " + i + " '" + text + "'");
      checked += ids.get(i).length;
    }
    assertTrue(checked > 100, "there were " + checked + " ids");
  }

  private static Tokenizer gguf(String name) throws IOException {
    try (TensorSource source = ModelFiles.open(SharedFiles.file(name))) {
      return GgufTokenizers.from(source.metadata());
    }
  }

  private static List<String> strings(Map<String, Object> metadata, String key) {
    return ((List<?>) metadata.get(key)).stream().map(String.class::cast).toList();
  }

  private static int[] ints(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).intValue()).toArray();
  }
}
