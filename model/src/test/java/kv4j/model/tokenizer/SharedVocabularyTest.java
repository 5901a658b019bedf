package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real vocabularies: the ids that llama.cpp gives, and nothing lost on the way back. */
class SharedVocabularyTest {
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
    assertGivesTheExpectedIds(gguf("tokenizers/ggml-vocab-" + name + ".gguf"), name);
  }

  @Test
  void gpt2FromItsOriginalFiles() throws IOException {
    Vocabulary.Settings settings = new Vocabulary.Settings(-1, -1, -1, Set.of(), false, false);
    Vocabulary vocabulary =
        new Vocabulary(gpt2Tokens(), List.of(), List.of(), gpt2Merges(), settings);
    assertGivesTheExpectedIds(new BytePairTokenizer(vocabulary, PreTokenizer.GPT2), "gpt-2");
  }

  @Test
  void gpt2AsHuggingFaceFolder(@TempDir Path folder) throws IOException {
    ObjectNode json = HuggingFaceFolder.byteLevel(gpt2Tokens(), gpt2Merges());
    HuggingFaceFolder.addToken(json, 50256, "<|endoftext|>", true);
    Files.writeString(folder.resolve("tokenizer.json"), json.toString());
    assertGivesTheExpectedIds(HuggingFaceTokenizer.read(folder), "gpt-2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-2", "llama-spm"})
  void losesNothing(String name) throws IOException {
    Tokenizer tokenizer = gguf("tokenizers/ggml-vocab-" + name + ".gguf");
    RoundTrips.assertRoundTrips(tokenizer, 3000, 71);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-2:<|endoftext|>", "llama-spm:</s>"})
  void controlTokensInTextAreText(String vocabularyAndToken) throws IOException {
    String name = vocabularyAndToken.split(":")[0];
    String special = vocabularyAndToken.split(":")[1];
    Tokenizer tokenizer = gguf("tokenizers/ggml-vocab-" + name + ".gguf");
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
    Path file = SharedFiles.file("tokenizers/ggml-vocab-" + name + ".gguf");
    String[] texts = Files.readString(Path.of(file + ".inp")).split("\n__ggml_vocab_test__\n", -1);
    List<String> ids = Files.readAllLines(Path.of(file + ".out"));
    int checked = 0;
    for (int i = 0; i < ids.size(); i++) {
      int[] expected =
          Arrays.stream(ids.get(i).strip().split(" "))
              .filter(id -> !id.isEmpty())
              .mapToInt(Integer::parseInt)
              .toArray();
      assertArrayEquals(expected, tokenizer.encode(texts[i]), "text " + i + " '" + texts[i] + "'");
      checked += expected.length;
    }
    assertTrue(checked > 100, "there were " + checked + " ids");
  }

  private static Tokenizer gguf(String name) throws IOException {
    try (TensorSource source = ModelFiles.open(SharedFiles.file(name))) {
      return GgufTokenizers.from(source.metadata());
    }
  }

  private static List<String> gpt2Tokens() throws IOException {
    JsonNode ids = JSON.readTree(SharedFiles.file("tokenizers/gpt2_vocab.json").toFile());
    String[] tokens = new String[ids.size()];
    for (Map.Entry<String, JsonNode> entry : ids.properties()) {
      tokens[entry.getValue().intValue()] = entry.getKey();
    }
    return List.of(tokens);
  }

  private static List<String> gpt2Merges() throws IOException {
    return Files.readAllLines(SharedFiles.file("tokenizers/gpt2_merges.txt")).stream()
        .filter(line -> !line.isBlank() && !line.startsWith("#version"))
        .toList();
  }

  private static int[] ints(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).intValue()).toArray();
  }
}
