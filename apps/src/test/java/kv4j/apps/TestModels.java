package kv4j.apps;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import kv4j.model.family.ModelExport;
import kv4j.model.tokenizer.GgufTokenizers;

/** Small untrained models as files, with chat templates. */
final class TestModels {
  /** Turns that begin with who speaks and end with the end token. */
  static final String TURNS =
      "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}"
          + "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";

  /** The same, for users and assistants only. */
  static final String NO_SYSTEM =
      "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TURNS;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int DIM = 32;
  private static final int FFN_DIM = 48;
  private static final int BEGIN = 256;
  private static final int VOCABULARY = 258;

  private TestModels() {}

  /** The demo model {@code tiny} as GGUF. */
  static Path gguf(Path file, String template) {
    Model model = DemoModels.create(ModelPreset.TINY, 42);
    Map<String, Object> vocabulary =
        new LinkedHashMap<>(GgufTokenizers.metadata(model.tokenizer()));
    vocabulary.put("tokenizer.chat_template", template);
    ModelExport.gguf(model, vocabulary, file);
    return file;
  }

  /** A Llama of 2 layers as a Hugging Face folder, its tokens bytes; without a template. */
  static Path huggingFace(Path folder) throws IOException {
    Files.createDirectories(folder);
    ObjectNode config = JSON.createObjectNode().put("model_type", "llama");
    config.put("hidden_size", DIM).put("intermediate_size", FFN_DIM).put("num_hidden_layers", 2);
    config.put("num_attention_heads", 4).put("num_key_value_heads", 2).put("head_dim", 8);
    config.put("vocab_size", VOCABULARY).put("max_position_embeddings", 2048);
    config.put("rms_norm_eps", 1e-5).put("rope_theta", 10000).put("tie_word_embeddings", true);
    JSON.writeValue(folder.resolve("config.json").toFile(), config);
    JSON.writeValue(folder.resolve("tokenizer.json").toFile(), tokenizer());
    write(folder, tokenizerConfig());
    Map<String, int[]> shapes = new LinkedHashMap<>();
    shapes.put("model.embed_tokens.weight", new int[] {VOCABULARY, DIM});
    for (int layer = 0; layer < 2; layer++) {
      String in = "model.layers." + layer + ".";
      shapes.put(in + "input_layernorm.weight", new int[] {DIM});
      shapes.put(in + "self_attn.q_proj.weight", new int[] {DIM, DIM});
      shapes.put(in + "self_attn.k_proj.weight", new int[] {DIM / 2, DIM});
      shapes.put(in + "self_attn.v_proj.weight", new int[] {DIM / 2, DIM});
      shapes.put(in + "self_attn.o_proj.weight", new int[] {DIM, DIM});
      shapes.put(in + "post_attention_layernorm.weight", new int[] {DIM});
      shapes.put(in + "mlp.gate_proj.weight", new int[] {FFN_DIM, DIM});
      shapes.put(in + "mlp.up_proj.weight", new int[] {FFN_DIM, DIM});
      shapes.put(in + "mlp.down_proj.weight", new int[] {DIM, FFN_DIM});
    }
    shapes.put("model.norm.weight", new int[] {DIM});
    Files.write(folder.resolve("model.safetensors"), safetensors(shapes));
    return folder;
  }

  /** {@code tokenizer_config.json} but for a template. */
  static ObjectNode tokenizerConfig() {
    return JSON.createObjectNode()
        .put("bos_token", "<s>")
        .put("eos_token", "</s>")
        .put("add_bos_token", true);
  }

  static void write(Path folder, ObjectNode tokenizerConfig) throws IOException {
    JSON.writeValue(folder.resolve("tokenizer_config.json").toFile(), tokenizerConfig);
  }

  private static byte[] safetensors(Map<String, int[]> shapes) throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    ObjectNode header = JSON.createObjectNode();
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    shapes.forEach(
        (name, shape) -> {
          ObjectNode tensor = header.putObject(name).put("dtype", "F32");
          IntStream.of(shape).forEach(tensor.putArray("shape")::add);
          int begin = data.size();
          int size = IntStream.of(shape).reduce(1, (a, b) -> a * b);
          ByteBuffer floats = ByteBuffer.allocate(4 * size).order(ByteOrder.LITTLE_ENDIAN);
          while (floats.hasRemaining()) {
            floats.putFloat((float) (random.nextDouble() - 0.5));
          }
          data.writeBytes(floats.array());
          tensor.putArray("data_offsets").add(begin).add(data.size());
        });
    byte[] text = JSON.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(8 + text.length + data.size()).order(ByteOrder.LITTLE_ENDIAN);
    return file.putLong(text.length).put(text).put(data.toByteArray()).array();
  }

  private static ObjectNode tokenizer() {
    ObjectNode json = JSON.createObjectNode().put("version", "1.0");
    for (int i = 0; i < 2; i++) {
      ObjectNode token = json.withArray("/added_tokens").addObject();
      token.put("id", BEGIN + i).put("content", List.of("<s>", "</s>").get(i));
      token.put("special", true).put("normalized", false).put("single_word", false);
      token.put("lstrip", false).put("rstrip", false);
    }
    for (String part : List.of("pre_tokenizer", "decoder")) {
      ObjectNode node = json.putObject(part).put("type", "ByteLevel");
      node.put("add_prefix_space", false).put("trim_offsets", true).put("use_regex", true);
    }
    ObjectNode model = json.putObject("model").put("type", "BPE");
    ObjectNode vocabulary = model.putObject("vocab");
    int others = 0;
    for (int b = 0; b < 256; b++) { // GPT-2's letters for bytes
      boolean visible = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
      vocabulary.put(Character.toString(visible ? b : 256 + others++), b);
    }
    model.putArray("merges");
    return json;
  }
}
