package kv4j.model.family;

import static kv4j.model.family.SmallModels.assertRefused;
import static kv4j.model.family.SmallModels.load;
import static kv4j.model.family.SmallModels.shape;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.Positions;
import kv4j.model.StockSession;
import kv4j.model.TransformerWeights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where files contradict themselves, or say less or more than usual. */
class HuggingFaceConventionsTest {
  private static final int[] TOKENS = {3, 1, 4, 1, 5, 9, 2, 6};

  @TempDir private Path folder;

  private static HuggingFaceFiles files(String type, boolean tied) {
    return new HuggingFaceFiles(type, DemoModels.randomWeights(shape(type, tied), 7));
  }

  private Model loaded(HuggingFaceFiles files) {
    files.write(folder);
    return load(folder);
  }

  private static float[][] logits(Model model) {
    return StockSession.logits(model.graph(), TOKENS);
  }

  private static void assertLogits(TransformerWeights expected, Model actual) {
    float[][] logits = logits(Model.of("expected", expected, new ByteTokenizer(), ""));
    float[][] loaded = logits(actual);
    for (int t = 0; t < TOKENS.length; t++) {
      assertArrayEquals(logits[t], loaded[t], 1e-4f, "token " + t);
    }
  }

  private void assertRefusedIf(String type, Consumer<HuggingFaceFiles> spoil, String... parts) {
    HuggingFaceFiles files = files(type, type.equals("gpt2"));
    spoil.accept(files);
    files.write(folder);
    assertRefused(folder, parts);
  }

  /** As Transformers 5 does, and as whoever stored a head of its own must have meant. */
  @Test
  void anOutputHeadThatDiffersCountsBeforeTheFlagThatTiesIt() {
    for (String type : List.of("llama", "mistral", "qwen2", "qwen3")) {
      HuggingFaceFiles files = files(type, false);
      files.config.put("tie_word_embeddings", true);
      Model loaded = loaded(files);
      assertFalse(loaded.config().tiedOutput());
      assertLogits(files.weights(), loaded);

      float[][] embedding = files.tensors.get("model.embed_tokens.weight");
      files.tensors.put("lm_head.weight", embedding);
      assertTrue(loaded(files).config().tiedOutput());
      files.tensors.remove("lm_head.weight");
      assertTrue(loaded(files).config().tiedOutput());
      files.config.put("tie_word_embeddings", false);
      files.write(folder);
      assertRefused(folder, "tensor lm_head.weight of shape [50, 24] is missing");
    }
  }

  @Test
  void gpt2MayHaveAnOutputHeadOfItsOwn() {
    for (String prefix : List.of("", "transformer.")) {
      HuggingFaceFiles files = files("gpt2", false);
      Map<String, float[][]> tensors = new LinkedHashMap<>(files.tensors);
      files.tensors.clear();
      tensors.forEach((name, rows) -> files.tensors.put(prefix + name, rows));
      float[][] weight = files.weights().get("output/weight").toFloatMatrix();
      float[][] head = new float[50][24];
      for (int row = 0; row < 50; row++) {
        for (int i = 0; i < 24; i++) {
          head[row][i] = weight[i][row];
        }
      }
      files.tensors.put("lm_head.weight", head);
      for (Boolean tied : Arrays.asList(false, true, null)) {
        files.config.put("tie_word_embeddings", tied);
        Model loaded = loaded(files);
        assertFalse(loaded.config().tiedOutput());
        assertLogits(files.weights(), loaded);
      }
    }
  }

  /** As {@code LlamaModel} without an output head writes them. */
  @Test
  void tensorsMayLackTheirPrefix() {
    HuggingFaceFiles files = files("llama", true);
    Map<String, float[][]> tensors = new LinkedHashMap<>(files.tensors);
    files.tensors.clear();
    tensors.forEach((name, rows) -> files.tensors.put(name.replaceFirst("^model\\.", ""), rows));
    assertLogits(files.weights(), loaded(files));
  }

  @Test
  void gpt2sSizesHaveTwoNames() {
    HuggingFaceFiles files = files("gpt2", true);
    Map<String, String> names =
        Map.of(
            "n_embd", "hidden_size",
            "n_layer", "num_hidden_layers",
            "n_head", "num_attention_heads",
            "n_positions", "max_position_embeddings");
    names.forEach((name, other) -> files.config.put(other, files.config.get(name)));
    assertLogits(files.weights(), loaded(files));
    names.keySet().forEach(files.config::remove);
    assertLogits(files.weights(), loaded(files));
    files.config.put("n_layer", 1);
    files.write(folder);
    assertRefused(folder, "n_layer is 1, but num_hidden_layers, its other name, 2");
  }

  private Positions.Rotary rotary(Map<String, Object> more) {
    HuggingFaceFiles files = files("llama", true);
    files.config.remove("rope_theta");
    files.config.putAll(more);
    return (Positions.Rotary) loaded(files).config().positions();
  }

  /**
   * In Transformers 5 {@code rope_scaling or rope_parameters} is what counts; 4 knows the first.
   */
  @Test
  void ropeScalingCountsBeforeRopeParameters() {
    Map<String, Object> linear = Map.of("rope_type", "linear", "factor", 2.0);
    Map<String, Object> other = Map.of("rope_type", "linear", "factor", 3.0, "rope_theta", 500.0);
    Positions.Rotary both = rotary(Map.of("rope_scaling", linear, "rope_parameters", other));
    assertEquals(new Positions.Linear(2), both.scaling());
    assertEquals(10_000, both.theta());
    Positions.Rotary empty = rotary(Map.of("rope_scaling", Map.of(), "rope_parameters", other));
    assertEquals(new Positions.Linear(3), empty.scaling());
    assertEquals(500, empty.theta());
    assertEquals(600, rotary(Map.of("rope_scaling", linear, "rope_theta", 600.0)).theta());
    assertEquals(500, rotary(Map.of("rope_parameters", other, "rope_theta", 600.0)).theta());
  }

  @Test
  void llama3sContextIsTheModelsOwnWhereTheFileNamesNone() {
    Map<String, Object> scaling = new HashMap<>();
    scaling.put("rope_type", "llama3");
    scaling.put("factor", 8.0);
    scaling.put("low_freq_factor", 1.0);
    scaling.put("high_freq_factor", 4.0);
    assertEquals(
        Positions.llama3(10_000, 6, 8, 1, 4, 32),
        rotary(Map.of("rope_scaling", scaling)).scaling());
    scaling.put("original_max_position_embeddings", 16);
    assertEquals(
        Positions.llama3(10_000, 6, 8, 1, 4, 16),
        rotary(Map.of("rope_scaling", scaling)).scaling());
    assertEquals(
        Positions.llama3(10_000, 6, 8, 1, 4, 24),
        rotary(Map.of("rope_scaling", scaling, "original_max_position_embeddings", 24)).scaling());
  }

  @Test
  void aFileMayNameItsClassOnly() {
    Map<String, String> classes =
        Map.of(
            "llama", "LlamaForCausalLM",
            "mistral", "MistralForCausalLM",
            "qwen2", "Qwen2ForCausalLM",
            "qwen3", "Qwen3ForCausalLM",
            "gpt2", "GPT2LMHeadModel");
    classes.forEach(
        (type, name) -> {
          HuggingFaceFiles files = files(type, type.equals("gpt2"));
          files.config.remove("model_type");
          files.config.put("architectures", List.of(name));
          assertLogits(files.weights(), loaded(files));
        });
    HuggingFaceFiles mistral = files("mistral", true);
    mistral.config.remove("model_type");
    mistral.config.put("architectures", List.of("MistralForCausalLM"));
    mistral.config.put("sliding_window", 5);
    mistral.write(folder);
    assertRefused(folder, "sliding window of 5 tokens");
  }

  @Test
  void headsOfKeysAreAsManyAsTheClassHasWhereTheFileSaysNothing() {
    Map<String, Integer> defaults = Map.of("llama", 32, "mistral", 8, "qwen2", 32, "qwen3", 32);
    defaults.forEach(
        (type, expected) -> {
          Map<String, Object> config = new LinkedHashMap<>(files(type, true).config);
          config.put("num_attention_heads", 32);
          config.remove("num_key_value_heads");
          assertEquals(expected, kvHeads(config));
          config.put("num_key_value_heads", null);
          assertEquals(32, kvHeads(config));
        });
  }

  private static int kvHeads(Map<String, Object> config) {
    MetadataOnly source = new MetadataOnly("safetensors", config);
    return HuggingFaceConfig.read(source, Family.of(source), LoadOptions.ALL).kvHeads();
  }

  /** Of Qwen's layers, those from {@code max_window_layers} on have one, if any has. */
  @Test
  void aSlidingWindowThatNoLayerHasIsNone() {
    for (String type : List.of("qwen2", "qwen3")) {
      HuggingFaceFiles files = files(type, true);
      files.config.put("use_sliding_window", true);
      files.config.put("sliding_window", 5);
      files.config.put("max_window_layers", 2);
      assertLogits(files.weights(), loaded(files));
      files.config.put("max_window_layers", 1);
      files.write(folder);
      assertRefused(folder, "sliding window of 5 tokens");
      files.config.put("layer_types", List.of("full_attention", "full_attention"));
      assertLogits(files.weights(), loaded(files));
      files.config.put("layer_types", List.of("full_attention", "sliding_attention"));
      files.write(folder);
      assertRefused(folder, "sliding window of 5 tokens");
    }
    assertRefusedIf("llama", f -> f.config.put("sliding_window", 5), "sliding window of 5 tokens");
    assertRefusedIf(
        "qwen3",
        f -> f.config.put("layer_types", List.of("full_attention", "linear_attention")),
        "layer_types",
        "not linear_attention");
    assertRefusedIf(
        "qwen3",
        f -> f.config.put("layer_types", List.of("full_attention")),
        "layer_types must be a list of 2");
  }

  @Test
  void whatIsRefusedSaysWhy() {
    Map<String, Object> awq = Map.of("quant_method", "awq", "bits", 4);
    assertRefusedIf(
        "llama",
        f -> f.config.put("quantization_config", awq),
        "its weights are quantized (quantization_config: awq)",
        "GGUF");
    assertRefusedIf(
        "llama", f -> f.config.put("is_causal", false), "is_causal", "except as true, not false");
    assertRefusedIf("llama", f -> f.config.put("logit_scale", 0.5), "logit_scale", "multiplied by");
    assertRefusedIf(
        "llama",
        f -> f.config.put("rope_scaling", Map.of("type", "linear")),
        "rope_scaling.factor is missing");
    assertRefusedIf(
        "llama",
        f -> f.config.put("rope_scaling", Map.of("type", "yarn", "factor", 2.0)),
        "rope scaling is not supported, not yarn");
    assertRefusedIf(
        "llama", f -> f.config.put("rope_scaling", "linear"), "rope_scaling must be an object");
    assertRefusedIf(
        "gpt2", f -> f.config.put("activation_function", "gelu"), "gelu_new or", "not gelu");
  }

  /** Python writes them, so they are numbers that cannot be, not syntax. */
  @Test
  void numbersThatAreNoneAreToldAsSuch() throws IOException {
    HuggingFaceFiles files = files("llama", true);
    files.write(folder);
    Path config = folder.resolve("config.json");
    String text = Files.readString(config);
    for (String odd : List.of("NaN", "Infinity", "-Infinity", "1e999")) {
      Files.writeString(
          config, text.replaceFirst("\"rms_norm_eps\":[^,}]*", "\"rms_norm_eps\":" + odd));
      assertRefused(folder, "rms_norm_eps must be a number, not ");
      Files.writeString(config, text.replaceFirst("\\{", "{\"initializer_range\":" + odd + ","));
      assertLogits(files.weights(), load(folder));
    }
  }

  @Test
  void tensorsThatAreNoWeightsAreLeftOutAndNoOthers() {
    HuggingFaceFiles llama = files("llama", true);
    llama.tensors.put("model.layers.0.self_attn.rotary_emb.inv_freq", new float[1][3]);
    llama.tensors.put("model.rotary_emb.inv_freq", new float[1][3]);
    assertLogits(llama.weights(), loaded(llama));
    HuggingFaceFiles gpt2 = files("gpt2", true);
    gpt2.tensors.put("h.1.attn.masked_bias", new float[1][1]);
    assertLogits(gpt2.weights(), loaded(gpt2));
    for (String name :
        List.of(
            "model.layers.0.self_attn.q_proj.bias",
            "model.layers.0.mlp.gate_proj.bias",
            "model.layers.0.self_attn.q_norm.weight",
            "model.layers.0.self_attn.q_proj.weight_scale",
            "model.layers.0.attn.masked_bias",
            "lm_head.bias",
            "score.weight")) {
      assertRefusedIf("llama", f -> f.tensors.put(name, new float[1][24]), "tensor " + name);
    }
  }
}
