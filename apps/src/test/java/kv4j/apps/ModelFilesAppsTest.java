package kv4j.apps;

import static kv4j.apps.Programs.run;
import static kv4j.apps.Programs.succeed;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import kv4j.apps.Programs.Outcome;
import kv4j.apps.cli.Terminal;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import kv4j.model.family.ModelExport;
import kv4j.model.tokenizer.GgufTokenizers;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An exported model runs in every program as the one it was made of. */
class ModelFilesAppsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private String gguf;

  @BeforeEach
  void export() {
    gguf = folder.resolve("tiny.gguf").toString();
    succeed("", "export", "--model-preset", "tiny", "--gguf", gguf);
  }

  private JsonNode json(String... args) throws IOException {
    Path file = folder.resolve("out.json");
    succeed(
        "",
        Stream.concat(Stream.of(args), Stream.of("--json", file.toString()))
            .toArray(String[]::new));
    return JSON.readTree(file.toFile());
  }

  @Test
  void generatesTheSame() throws IOException {
    String[] options = {"--prompt", "Größe 😀", "--new-tokens", "30"};
    JsonNode file = json(concat(options, "generate", "--model", gguf));
    JsonNode preset = json(concat(options, "generate", "--model-preset", "tiny"));
    assertEquals(preset.get("promptTokens"), file.get("promptTokens"));
    assertEquals(preset.get("tokens"), file.get("tokens"));
    assertEquals(preset.get("text"), file.get("text"));
  }

  private static String[] concat(String[] rest, String... first) {
    return Stream.concat(Stream.of(first), Stream.of(rest)).toArray(String[]::new);
  }

  @Test
  void runsInTheProgramsThatMeasure() throws IOException {
    for (String command : List.of("compare", "workflow")) {
      JsonNode report =
          json(command, "--model", gguf, "--requests", "2", "--new-tokens", "2", "--quick");
      assertTrue(report.get("identicalTokens").asBoolean());
      assertEquals("tiny", report.at("/model/preset").asText());
    }
    JsonNode small =
        json("compare", "--model", gguf, "--context", "100", "--requests", "2", "--quick");
    assertTrue(small.get("identicalTokens").asBoolean()); // with as long a prefix as fits
    JsonNode bench =
        json(
            "bench",
            "--model",
            gguf,
            "--context",
            "600",
            "--quick",
            "--repeat",
            "1",
            "--compare",
            "none");
    assertEquals(600, bench.at("/shape/context").asInt());
  }

  @Test
  void sizesAskedForAreAnErrorWhereTheyDoNotFit() {
    Outcome outcome =
        run("", "compare", "--model", gguf, "--context", "100", "--prefix-tokens", "200");
    assertEquals(2, outcome.status());
    assertTrue(outcome.err().contains("does not fit the model's context of 100"), outcome.err());
    Outcome bench = run("", "bench", "--model", gguf, "--context", "100");
    assertEquals(2, bench.status());
    assertTrue(bench.err().contains("needs a context of 513 tokens"), bench.err());
  }

  @Test
  void inspectTellsAll() throws IOException {
    JsonNode contents = json("inspect", gguf);
    assertEquals("GGUF", contents.get("format").asText());
    assertEquals("llama", contents.at("/model/architecture").asText());
    assertEquals(2, contents.at("/model/shape/layers").asInt());
    assertEquals(258, contents.at("/tokenizer/tokens").asInt());
    assertEquals(256, contents.at("/tokenizer/begin/id").asInt());
    assertEquals(257, contents.at("/tokenizer/ends/0/id").asInt());
    assertTrue(contents.get("chatTemplate").isNull());
    assertEquals(0, contents.get("problems").size());
    assertEquals("token_embd.weight", contents.at("/tensors/0/name").asText());
    assertEquals("[258,64]", contents.at("/tensors/0/shape").toString());
    Outcome table = succeed("", "inspect", gguf);
    assertTrue(table.out().contains("blk.1.ffn_down.weight"), table.out());
    for (String line : table.out().split("\n")) {
      assertTrue(line.length() <= Terminal.COLUMNS, line);
    }
  }

  @Test
  void inspectNamesWhatIsMissing() {
    Outcome outcome = succeed("", "inspect", Programs.stories("stories260K.bin").toString());
    assertTrue(outcome.out().contains("name it by"), outcome.out());
    assertTrue(outcome.out().contains("llama2.c"), outcome.out());
  }

  /** Both what ends a generation and what nobody reads are for people to know. */
  @Test
  void inspectShowsEndTokensAndKeysThatAreNotKnown() throws IOException {
    Model tiny = DemoModels.create(ModelPreset.TINY, 42);
    Map<String, Object> metadata = new LinkedHashMap<>(GgufTokenizers.metadata(tiny.tokenizer()));
    List<Object> tokens = new ArrayList<>((List<?>) metadata.get("tokenizer.ggml.tokens"));
    tokens.set(256, "<|im_end|>");
    metadata.put("tokenizer.ggml.tokens", tokens);
    for (int i = 0; i < 30; i++) {
      metadata.put("llama.colour_" + i, i);
    }
    Path file = folder.resolve("odd.gguf");
    ModelExport.gguf(tiny, metadata, file);
    JsonNode contents = json("inspect", file.toString());
    assertEquals("<|im_end|>", contents.at("/tokenizer/ends/0/name").asText());
    assertEquals("</s>", contents.at("/tokenizer/ends/1/name").asText());
    assertEquals("llama.colour_0", contents.at("/model/unknownKeys/0").asText());
    assertEquals(30, contents.at("/model/unknownKeys").size());
    Outcome table = succeed("", "inspect", file.toString());
    assertTrue(table.out().contains("256 <|im_end|>, 257 </s>"), table.out());
    assertTrue(table.out().contains("llama.colour_29"), table.out());
    for (String line : table.out().split("\n")) {
      assertTrue(line.length() <= Terminal.COLUMNS, line);
    }
    Outcome generated =
        succeed("", "generate", "--model", file.toString(), "--prompt", "a", "--new-tokens", "2");
    assertTrue(
        generated.err().contains("not known, and taken to be without effect: llama.colour_0, "),
        generated.err());
  }

  @Test
  void exportReplacesOnlyIfTold() throws IOException {
    Path file = Path.of(gguf);
    byte[] before = Files.readAllBytes(file);
    Outcome outcome = run("", "export", "--model-preset", "tiny", "--seed", "7", "--gguf", gguf);
    assertEquals(2, outcome.status());
    assertTrue(outcome.err().contains("--force"), outcome.err());
    assertArrayEquals(before, Files.readAllBytes(file));
    succeed("", "export", "--model", gguf, "--gguf", gguf + "2");
    assertArrayEquals(before, Files.readAllBytes(Path.of(gguf + "2")));
    succeed("", "export", "--model-preset", "tiny", "--seed", "7", "--gguf", gguf, "--force");
    assertEquals(before.length, Files.size(file));
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(2, files.count()); // nothing half-written is left
    }
  }

  /** Rows of 176 elements are no whole blocks; at four bits a random model's tokens are others. */
  @ParameterizedTest
  @CsvSource({
    "f16, '16 F16, 5 F32', '', F16",
    "q8_0, '2 F16, 5 F32, 14 Q8_0', (F16 where rows are no multiple of a block's 32 elements), Q8_0",
    "q4_0, '2 F16, 5 F32, 14 Q4_0', (F16 where rows are no multiple of a block's 32 elements), Q4_0"
  })
  void exportsOtherTypes(String type, String counts, String why, String dtype) throws IOException {
    String small = folder.resolve(type + ".gguf").toString();
    Outcome outcome = succeed("", "export", "--model", gguf, "--type", type, "--gguf", small);
    assertTrue(
        outcome.out().endsWith(("tensors: " + counts + " " + why).strip() + System.lineSeparator()),
        outcome.out());
    assertEquals(dtype, json("inspect", small).at("/tensors/0/type").asText());
    assertTrue(2 * Files.size(Path.of(small)) < 1.2 * Files.size(Path.of(gguf)));
    String[] options = {"--prompt", "Once", "--new-tokens", "10"};
    assertEquals(10, json(concat(options, "generate", "--model", small)).get("tokens").size());
  }

  @Test
  void aLlama2cModelIsExportedWithItsVocabulary() throws IOException {
    String model = Programs.stories("stories260K.bin").toString();
    String vocabulary = Programs.stories("tok512.bin").toString();
    String copy = folder.resolve("stories.gguf").toString();
    succeed("", "export", "--model", model, "--tokenizer", vocabulary, "--gguf", copy);
    String[] options = {"--prompt", "Once upon a time", "--new-tokens", "30"};
    JsonNode file = json(concat(options, "generate", "--model", copy));
    JsonNode golden =
        json(concat(options, "generate", "--model", model, "--tokenizer", vocabulary));
    assertEquals(golden.get("promptTokens"), file.get("promptTokens"));
    assertEquals(golden.get("tokens"), file.get("tokens"));
  }

  @Test
  void anEndTokenBehindPromptsIsLeftOutAndSaid() throws IOException {
    Path model = TestModels.huggingFace(folder.resolve("llama"));
    String[] generate = {
      "generate", "--model", model.toString(), "--prompt", "Hi", "--new-tokens", "2"
    };
    assertFalse(succeed("", generate).err().contains("add_eos_token"));
    TestModels.write(model, TestModels.tokenizerConfig().put("add_eos_token", true));
    assertTrue(succeed("", generate).err().contains("add_eos_token is left out"));
  }
}
