package kv4j.model.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.Positions;
import kv4j.model.StockSession;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.TransformerWeights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where files contradict themselves, or say less or more than usual. */
class ConventionsTest {
  private static final int[] TOKENS = {3, 1, 4, 1, 5, 9, 2, 6};

  @TempDir private Path folder;

  private static TransformerConfig shape(String type, boolean tied) {
    boolean gpt2 = type.equals("gpt2");
    return new TransformerConfig(
        2,
        24,
        4,
        gpt2 ? 4 : 2,
        6,
        40,
        50,
        32,
        1e-5f,
        gpt2
            ? new Positions.Learned()
            : new Positions.Rotary(1e4f, RopePairing.SPLIT, Positions.Scaling.NONE),
        switch (type) {
          case "gpt2" -> Block.GPT2;
          case "qwen2" -> Block.QWEN2;
          case "qwen3" -> Block.QWEN3;
          default -> Block.LLAMA;
        },
        tied);
  }

  private static HuggingFaceFiles files(String type, boolean tied) {
    return new HuggingFaceFiles(type, DemoModels.randomWeights(shape(type, tied), 7));
  }

  private Model load(HuggingFaceFiles files) {
    files.write(folder);
    return load(folder);
  }

  private static Model load(Path path) {
    return ModelLoader.load(
        path, LoadOptions.ALL, (source, file) -> new ByteTokenizer(), LoadListener.NONE);
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

  private void assertRefused(String type, Consumer<HuggingFaceFiles> spoil, String... parts) {
    HuggingFaceFiles files = files(type, type.equals("gpt2"));
    spoil.accept(files);
    files.write(folder);
    assertRefused(folder, parts);
  }

  private static void assertRefused(Path path, String... parts) {
    String message = assertThrows(IllegalArgumentException.class, () -> load(path)).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
    assertTrue(message.startsWith(path.toString()), message);
  }

  /** As Transformers 5 does, and as whoever stored a head of its own must have meant. */
  @Test
  void anOutputHeadThatDiffersCountsBeforeTheFlagThatTiesIt() {
    for (String type : List.of("llama", "mistral", "qwen2", "qwen3")) {
      HuggingFaceFiles files = files(type, false);
      files.config.put("tie_word_embeddings", true);
      Model loaded = load(files);
      assertFalse(loaded.config().tiedOutput());
      assertLogits(files.weights(), loaded);

      float[][] embedding = files.tensors.get("model.embed_tokens.weight");
      files.tensors.put("lm_head.weight", embedding);
      assertTrue(load(files).config().tiedOutput());
      files.tensors.remove("lm_head.weight");
      assertTrue(load(files).config().tiedOutput());
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
        Model loaded = load(files);
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
    assertLogits(files.weights(), load(files));
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
    assertLogits(files.weights(), load(files));
    names.keySet().forEach(files.config::remove);
    assertLogits(files.weights(), load(files));
    files.config.put("n_layer", 1);
    files.write(folder);
    assertRefused(folder, "n_layer is 1, but num_hidden_layers, its other name, 2");
  }

  private Positions.Rotary rotary(Map<String, Object> more) {
    HuggingFaceFiles files = files("llama", true);
    files.config.remove("rope_theta");
    files.config.putAll(more);
    return (Positions.Rotary) load(files).config().positions();
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
          assertLogits(files.weights(), load(files));
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
      assertLogits(files.weights(), load(files));
      files.config.put("max_window_layers", 1);
      files.write(folder);
      assertRefused(folder, "sliding window of 5 tokens");
      files.config.put("layer_types", List.of("full_attention", "full_attention"));
      assertLogits(files.weights(), load(files));
      files.config.put("layer_types", List.of("full_attention", "sliding_attention"));
      files.write(folder);
      assertRefused(folder, "sliding window of 5 tokens");
    }
    assertRefused("llama", f -> f.config.put("sliding_window", 5), "sliding window of 5 tokens");
    assertRefused(
        "qwen3",
        f -> f.config.put("layer_types", List.of("full_attention", "linear_attention")),
        "layer_types",
        "not linear_attention");
    assertRefused(
        "qwen3",
        f -> f.config.put("layer_types", List.of("full_attention")),
        "layer_types must be a list of 2");
  }

  @Test
  void whatIsRefusedSaysWhy() {
    Map<String, Object> awq = Map.of("quant_method", "awq", "bits", 4);
    assertRefused(
        "llama",
        f -> f.config.put("quantization_config", awq),
        "its weights are quantized (quantization_config: awq)",
        "GGUF");
    assertRefused(
        "llama", f -> f.config.put("is_causal", false), "is_causal", "except as true, not false");
    assertRefused("llama", f -> f.config.put("logit_scale", 0.5), "logit_scale", "multiplied by");
    assertRefused(
        "llama",
        f -> f.config.put("rope_scaling", Map.of("type", "linear")),
        "rope_scaling.factor is missing");
    assertRefused(
        "llama",
        f -> f.config.put("rope_scaling", Map.of("type", "yarn", "factor", 2.0)),
        "rope scaling is not supported, not yarn");
    assertRefused(
        "llama", f -> f.config.put("rope_scaling", "linear"), "rope_scaling must be an object");
    assertRefused(
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
    assertLogits(llama.weights(), load(llama));
    HuggingFaceFiles gpt2 = files("gpt2", true);
    gpt2.tensors.put("h.1.attn.masked_bias", new float[1][1]);
    assertLogits(gpt2.weights(), load(gpt2));
    for (String name :
        List.of(
            "model.layers.0.self_attn.q_proj.bias",
            "model.layers.0.mlp.gate_proj.bias",
            "model.layers.0.self_attn.q_norm.weight",
            "model.layers.0.self_attn.q_proj.weight_scale",
            "model.layers.0.attn.masked_bias",
            "lm_head.bias",
            "score.weight")) {
      assertRefused("llama", f -> f.tensors.put(name, new float[1][24]), "tensor " + name);
    }
  }

  private Path gguf(String type, Map<String, Object> more) {
    Path file = folder.resolve(type + ".gguf");
    TransformerWeights weights = DemoModels.randomWeights(shape(type, type.equals("gpt2")), 7);
    ModelExport.gguf(Model.of(type, weights, new ByteTokenizer(), ""), more, file);
    return file;
  }

  @Test
  void ggufSaysMoreThanOneMightThink() {
    TransformerConfig sound = load(gguf("llama", Map.of())).config();
    assertEquals(sound, load(gguf("llama", Map.of("llama.rope.scaling.attn_factor", 1f))).config());
    for (String type : List.of("llama", "qwen2", "qwen3", "gpt2")) {
      assertRefused(
          gguf(type, Map.of(type + ".attention.causal", false)),
          type + ".attention.causal is not supported except as true, not false");
      if (!type.equals("gpt2")) {
        assertRefused(
            gguf(type, Map.of(type + ".rope.scaling.attn_factor", 1.5f)),
            type + ".rope.scaling.attn_factor is not supported except as 1, not 1.5");
      }
      assertRefused(gguf(type, Map.of(type + ".logit_scale", 0.25f)), type + ".logit_scale");
    }
    assertRefused(
        gguf("llama", Map.of("llama.rope.scaling.type", "yarn")), "rope.scaling.type", "not yarn");
    Map<String, Object> scaled =
        Map.of("llama.rope.scaling.type", "none", "llama.rope.scaling.factor", 4f);
    assertEquals(sound, load(gguf("llama", scaled)).config());
    assertNotEquals(sound, load(gguf("llama", Map.of("llama.rope.scaling.factor", 4f))).config());
  }

  /** llama.cpp takes the number of tokens for that of the embeddings, and finds other shapes. */
  @Test
  void ggufHasAsManyTokensAsEmbeddings() {
    for (int count : List.of(49, 51)) {
      Map<String, Object> tokens = Map.of("tokenizer.ggml.tokens", Collections.nCopies(count, "x"));
      assertRefused(gguf("llama", tokens), "has " + count + " tokens, but embeddings of 50 tokens");
    }
  }

  @Test
  void ggufNeedsItsEpsilon() {
    for (String family : List.of("llama", "qwen2", "qwen3", "gpt2")) {
      Family its = Family.valueOf(family.toUpperCase(Locale.ROOT));
      Map<String, Object> metadata =
          new LinkedHashMap<>(GgufConfig.metadata("x", shape(family, true), its));
      metadata.keySet().removeIf(key -> key.endsWith("epsilon"));
      metadata.replaceAll((key, value) -> value instanceof Integer i ? (Object) (long) i : value);
      MetadataOnly source = new MetadataOnly("GGUF", metadata);
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> GgufConfig.read(source, its, LoadOptions.ALL))
              .getMessage();
      assertTrue(message.matches("model: .*norm(_rms)?_epsilon is missing"), message);
    }
  }
}
