package kv4j.apps;

import static kv4j.apps.Programs.run;
import static kv4j.apps.Programs.succeed;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import kv4j.apps.Programs.Outcome;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model of a Hugging Face folder, exported with its vocabulary, generates the same. */
class HuggingFaceExportTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int TOKENS = 95;
  private static final int DIM = 16;

  @TempDir private Path folder;
  @TempDir private Path reports;
  private final ObjectNode header = JSON.createObjectNode();
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();
  private final Random random = new Random(5);

  @BeforeEach
  void writeModel() throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"model_type": "qwen3", "hidden_size": 16, "num_hidden_layers": 1, "vocab_size": 95,
         "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "rms_norm_eps": 1e-6,
         "intermediate_size": 24, "max_position_embeddings": 128, "tie_word_embeddings": false}""");
    add("model.embed_tokens.weight", TOKENS, DIM);
    add("lm_head.weight", TOKENS, DIM);
    add("model.norm.weight", DIM);
    String layer = "model.layers.0.";
    add(layer + "input_layernorm.weight", DIM);
    add(layer + "post_attention_layernorm.weight", DIM);
    add(layer + "self_attn.q_proj.weight", 32, DIM);
    add(layer + "self_attn.k_proj.weight", 16, DIM);
    add(layer + "self_attn.v_proj.weight", 16, DIM);
    add(layer + "self_attn.o_proj.weight", DIM, 32);
    add(layer + "self_attn.q_norm.weight", 8);
    add(layer + "self_attn.k_norm.weight", 8);
    add(layer + "mlp.gate_proj.weight", 24, DIM);
    add(layer + "mlp.up_proj.weight", 24, DIM);
    add(layer + "mlp.down_proj.weight", DIM, 24);
    byte[] text = JSON.writeValueAsBytes(header);
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(littleEndian(8).putLong(text.length).array());
    file.writeBytes(text);
    file.writeBytes(data.toByteArray());
    Files.write(folder.resolve("model.safetensors"), file.toByteArray());
  }

  private void add(String name, int... shape) {
    int begin = data.size();
    int elements = shape.length == 1 ? shape[0] : shape[0] * shape[1];
    ByteBuffer values = littleEndian(4 * elements);
    for (int i = 0; i < elements; i++) {
      values.putFloat(shape.length == 1 ? 1 : (float) random.nextGaussian() / 4);
    }
    data.writeBytes(values.array());
    ObjectNode info = header.putObject(name).put("dtype", "F32");
    info.set("shape", JSON.valueToTree(shape));
    info.set("data_offsets", JSON.valueToTree(new int[] {begin, data.size()}));
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Printable ASCII but for the space, then "he". */
  private void writeTokenizer(String type) throws IOException {
    ObjectNode json = JSON.createObjectNode();
    for (String part : List.of("pre_tokenizer", "decoder")) {
      ObjectNode bytes = json.putObject(part).put("type", "ByteLevel");
      bytes.put("add_prefix_space", false).put("trim_offsets", false).put("use_regex", true);
    }
    json.withObject("/pre_tokenizer").put("type", type);
    ObjectNode model = json.putObject("model").put("type", "BPE");
    ObjectNode vocabulary = model.putObject("vocab");
    for (char c = '!'; c <= '~'; c++) {
      vocabulary.put(String.valueOf(c), c - '!');
    }
    vocabulary.put("he", TOKENS - 1);
    model.putArray("merges").add("h e");
    Files.write(folder.resolve("tokenizer.json"), JSON.writeValueAsBytes(json));
  }

  @Test
  void generatesTheSame() throws IOException {
    writeTokenizer("ByteLevel");
    String gguf = folder.resolve("model.gguf").toString();
    succeed("", "export", "--model", folder.toString(), "--gguf", gguf);
    JsonNode expected = generate(folder.toString());
    JsonNode actual = generate(gguf);
    for (String what : List.of("promptTokens", "tokens", "text")) {
      assertFalse(expected.path(what).isEmpty() && expected.path(what).asText().isEmpty(), what);
      assertEquals(expected.get(what), actual.get(what));
    }
  }

  private JsonNode generate(String model) throws IOException {
    String json = reports.resolve("out.json").toString();
    succeed(
        "",
        "generate",
        "--model",
        model,
        "--prompt",
        "hello,there",
        "--new-tokens",
        "30",
        "--json",
        json);
    return JSON.readTree(Files.readString(Path.of(json), StandardCharsets.UTF_8));
  }

  @Test
  void aVocabularyThatGgufHasNoTermsForIsRefused() throws IOException {
    writeTokenizer("Whitespace");
    Path gguf = folder.resolve("model.gguf");
    Outcome outcome = run("", "export", "--model", folder.toString(), "--gguf", gguf.toString());
    assertEquals(2, outcome.status());
    assertTrue(outcome.err().contains("cannot be told in GGUF's terms"), outcome.err());
    assertFalse(Files.exists(gguf));
  }
}
