package kv4j.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import kv4j.model.TransformerConfig;
import kv4j.model.family.ConfigKeys.Handling;
import kv4j.model.family.ConfigKeys.Key;
import kv4j.model.format.ModelFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each key of each family is what the table says it is. */
class ConfigKeysTest {
  private static final String ROPE_OBJECT = "rope_scaling";
  private static final int LAYERS = 2;

  /** Of any type that a key could have. */
  private static final List<Object> VALUES =
      List.of(true, false, 0.37, 7L, "other", List.of(3L), Map.of("a", 1L));

  /** For each key that is obeyed, what to put beside the sound config so that it shows. */
  private static final Map<String, Map<String, Object>> SHOWING = showing();

  private static Map<String, Map<String, Object>> showing() {
    Map<String, Map<String, Object>> cases = new HashMap<>();
    Map<String, Object> llama3 =
        Map.of(
            "rope_type", "llama3",
            "factor", 8.0,
            "low_freq_factor", 1.0,
            "high_freq_factor", 4.0,
            "original_max_position_embeddings", 16L);
    cases.put("config.json vocab_size", Map.of("vocab_size", 60L));
    cases.put("config.json hidden_size", Map.of("hidden_size", 48L));
    cases.put("config.json intermediate_size", Map.of("intermediate_size", 60L));
    cases.put("config.json num_hidden_layers", Map.of("num_hidden_layers", 3L));
    cases.put("config.json num_attention_heads", Map.of("num_attention_heads", 8L));
    cases.put("config.json num_key_value_heads", Map.of("num_key_value_heads", 1L));
    cases.put("config.json head_dim", Map.of("head_dim", 6L));
    cases.put("config.json max_position_embeddings", Map.of("max_position_embeddings", 30L));
    cases.put("config.json rms_norm_eps", Map.of("rms_norm_eps", 0.25));
    cases.put("config.json rope_theta", Map.of("rope_theta", 500.0));
    cases.put("config.json rope_scaling", Map.of("rope_scaling", llama3));
    cases.put("config.json rope_parameters", Map.of("rope_parameters", llama3));
    cases.put(
        "config.json original_max_position_embeddings",
        Map.of("rope_scaling", llama3, "original_max_position_embeddings", 24L));
    Map<String, Object> window =
        Map.of("use_sliding_window", true, "max_window_layers", 1L, "sliding_window", 5L);
    window.keySet().forEach(key -> cases.put("config.json " + key, window));
    cases.put("config.json layer_types", Map.of("layer_types", List.of("x", "full_attention")));
    cases.put("config.json tie_word_embeddings", Map.of("tie_word_embeddings", true));
    cases.put("config.json n_embd", Map.of("n_embd", 64L));
    cases.put("config.json n_layer", Map.of("n_layer", 3L));
    cases.put("config.json n_head", Map.of("n_head", 8L));
    cases.put("config.json n_positions", Map.of("n_positions", 30L));
    cases.put("config.json n_inner", Map.of("n_inner", 60L));
    cases.put("config.json layer_norm_epsilon", Map.of("layer_norm_epsilon", 0.25));
    for (String key : llama3.keySet()) {
      Map<String, Object> changed = new HashMap<>(llama3);
      changed.put(key, key.equals("rope_type") ? "linear" : 2L);
      cases.put("rope " + key, Map.of(ROPE_OBJECT, changed));
    }
    cases.put("rope factor", Map.of(ROPE_OBJECT, Map.of("type", "linear", "factor", 3.0)));
    cases.put("rope type", Map.of(ROPE_OBJECT, Map.of("type", "linear", "factor", 2.0)));
    cases.put("rope rope_theta", Map.of(ROPE_OBJECT, Map.of("rope_theta", 500.0)));
    cases.put("GGUF vocab_size", Map.of("vocab_size", 60L));
    cases.put("GGUF context_length", Map.of("context_length", 30L));
    cases.put("GGUF embedding_length", Map.of("embedding_length", 48L));
    cases.put("GGUF block_count", Map.of("block_count", 3L));
    cases.put("GGUF feed_forward_length", Map.of("feed_forward_length", 60L));
    cases.put("GGUF attention.head_count", Map.of("attention.head_count", 8L));
    cases.put("GGUF attention.head_count_kv", Map.of("attention.head_count_kv", 1L));
    cases.put("GGUF attention.key_length", Map.of("attention.key_length", 6L));
    cases.put("GGUF attention.value_length", Map.of("attention.value_length", 6L));
    cases.put(
        "GGUF attention.layer_norm_rms_epsilon", Map.of("attention.layer_norm_rms_epsilon", 0.25f));
    cases.put("GGUF attention.layer_norm_epsilon", Map.of("attention.layer_norm_epsilon", 0.25f));
    cases.put("GGUF attention.sliding_window", Map.of("attention.sliding_window", 5L));
    cases.put("GGUF rope.dimension_count", Map.of("rope.dimension_count", 2L));
    cases.put("GGUF rope.freq_base", Map.of("rope.freq_base", 500f));
    cases.put("GGUF rope.scaling.type", Map.of("rope.scaling.type", "yarn"));
    cases.put("GGUF rope.scaling.factor", Map.of("rope.scaling.factor", 2f));
    cases.put("GGUF rope.scale_linear", Map.of("rope.scale_linear", 2f));
    return cases;
  }

  /** A key of the table in one of its families. */
  record Case(Key key, String family) {
    @Override
    public String toString() {
      return key.file() + " of " + family + ": " + key.name();
    }

    /** A name that the key matches. */
    String name() {
      return key.name().replace("*", "something");
    }
  }

  static List<Case> cases(Predicate<Key> which) {
    return ConfigKeys.all().stream()
        .filter(which)
        .flatMap(key -> key.families().stream().sorted().map(family -> new Case(key, family)))
        .toList();
  }

  static List<Case> refused() {
    return cases(key -> key.handling() == Handling.REFUSED);
  }

  static List<Case> harmless() {
    return cases(key -> key.handling() == Handling.HARMLESS);
  }

  /** But for those that {@link FamilyTest} and the tokenizers' tests see to. */
  static List<Case> obeyed() {
    Set<String> elsewhere = Set.of("model_type", "architectures", "eos_token_id");
    return cases(key -> key.handling() == Handling.OBEYED && !elsewhere.contains(key.name()));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void whatIsRefusedIsNamedUnlessItHasNoEffect(Case one) {
    TransformerConfig sound = read(one, Map.of());
    for (Object value : VALUES) {
      if (!one.key.isNeutral(value)) {
        String message =
            assertThrows(ModelFileException.class, () -> read(one, with(one, value))).getMessage();
        assertTrue(message.contains(one.name()), one + ": " + message);
        assertTrue(
            message.contains("not supported") || message.contains("supported in GGUF"), message);
      }
    }
    List<Object> neutral = new ArrayList<>(one.key.neutral());
    neutral.addAll(Arrays.asList(null, List.of(), Map.of()));
    for (Object value : neutral) {
      if (value != null || !one.key.file().equals("GGUF")) {
        assertEquals(sound, read(one, with(one, value)), one + " as " + value);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("harmless")
  void whatIsHarmlessChangesNothing(Case one) {
    TransformerConfig sound = read(one, Map.of());
    for (Object value : VALUES) {
      assertEquals(sound, read(one, with(one, value)), one + " as " + value);
    }
  }

  @ParameterizedTest
  @MethodSource("obeyed")
  void whatIsObeyedChangesTheModelOrIsRefused(Case one) {
    Map<String, Object> changed = SHOWING.get(one.key.file() + " " + one.name());
    assertTrue(changed != null, "no case for " + one);
    TransformerConfig sound = without(one, changed);
    try {
      assertNotEquals(sound, read(one, prefixed(one, changed)), one.toString());
    } catch (ModelFileException e) {
      assertTrue(
          e.getMessage().contains(one.name())
              || e.getMessage().contains("sliding window of 5 tokens")
              || e.getMessage().contains("its other name"),
          e.getMessage());
    }
  }

  /** What is computed without the key, and if that makes no model, without what goes with it. */
  private static TransformerConfig without(Case one, Map<String, Object> changed) {
    Map<String, Object> rest = new HashMap<>(changed);
    if (one.key.file().equals("rope")) {
      Map<Object, Object> rope = new HashMap<>((Map<?, ?>) changed.get(ROPE_OBJECT));
      rope.remove(one.name());
      rest.put(ROPE_OBJECT, rope);
    } else {
      rest.remove(one.name());
    }
    try {
      return read(one, prefixed(one, rest));
    } catch (IllegalArgumentException e) {
      return read(one, Map.of());
    }
  }

  /** Refused where its name sounds like arithmetic, else named. */
  @Test
  void whatNobodyKnowsIsNamedOrRefused() {
    Case llama = new Case(ConfigKeys.all().get(0), "llama");
    assertEquals(List.of("colour"), HuggingFaceConfig.check(source(llama, Map.of("colour", 3L))));
    assertEquals(List.of(), HuggingFaceConfig.check(source(llama, Map.of("rope_wobble", false))));
    for (String key :
        List.of("rope_wobble", "key_multiplier", "v_scale", "kv_clip", "ffn_norm_first")) {
      String message =
          assertThrows(
                  ModelFileException.class,
                  () -> HuggingFaceConfig.check(source(llama, Map.of(key, 2.5))))
              .getMessage();
      assertTrue(message.contains(key + " is not known, and may change"), message);
    }
    Case gguf =
        cases(key -> key.file().equals("GGUF")).stream()
            .filter(one -> one.family.equals("llama"))
            .findFirst()
            .orElseThrow();
    assertEquals(
        List.of("llama.colour"),
        GgufConfig.check(
            source(gguf, ordered("llama.colour", 3L, "granite.logit_scale", 2f)), Family.LLAMA));
    assertThrows(
        ModelFileException.class,
        () -> GgufConfig.check(source(gguf, Map.of("llama.wobble_scale", 3L)), Family.LLAMA));
    Map<String, Object> rope = Map.of("type", "linear", "factor", 2.0, "wobble", 1L);
    assertThrows(
        ModelFileException.class,
        () -> HuggingFaceConfig.check(source(llama, Map.of("rope_scaling", rope))));
  }

  private static Map<String, Object> ordered(String one, Object value, String other, Object more) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put(one, value);
    map.put(other, more);
    return map;
  }

  private static Map<String, Object> with(Case one, Object value) {
    if (one.key.file().equals("rope")) {
      Map<String, Object> rope = new HashMap<>(Map.of("rope_type", "default"));
      rope.put(one.name(), value);
      return Map.of(ROPE_OBJECT, rope);
    }
    return prefixed(one, Collections.singletonMap(one.name(), value));
  }

  private static Map<String, Object> prefixed(Case one, Map<String, Object> values) {
    if (!one.key.file().equals("GGUF")) {
      return values;
    }
    Map<String, Object> prefixed = new LinkedHashMap<>();
    values.forEach((name, value) -> prefixed.put(one.family + "." + name, value));
    return prefixed;
  }

  /** As {@link ModelLoader} does, but for tensors. */
  private static TransformerConfig read(Case one, Map<String, Object> more) {
    MetadataOnly source = source(one, more);
    Family family = Family.of(source);
    if (one.key.file().equals("GGUF")) {
      GgufConfig.check(source, family);
      return GgufConfig.read(source, family, LoadOptions.ALL);
    }
    HuggingFaceConfig.check(source);
    return HuggingFaceConfig.read(source, family, LoadOptions.ALL);
  }

  private static MetadataOnly source(Case one, Map<String, Object> more) {
    boolean gguf = one.key.file().equals("GGUF");
    Map<String, Object> metadata = new LinkedHashMap<>(gguf ? gguf(one.family) : hf(one.family));
    metadata.putAll(more);
    return new MetadataOnly(gguf ? "GGUF" : "safetensors", metadata);
  }

  private static Map<String, Object> hf(String family) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("model_type", family);
    config.put("vocab_size", 50L);
    config.put("tie_word_embeddings", false);
    if (family.equals("gpt2")) {
      config.put("n_embd", 32L);
      config.put("n_head", 4L);
      config.put("n_layer", (long) LAYERS);
      config.put("n_positions", 40L);
      return config;
    }
    config.put("hidden_size", 32L);
    config.put("num_hidden_layers", (long) LAYERS);
    config.put("num_attention_heads", 4L);
    config.put("num_key_value_heads", 2L);
    config.put("head_dim", 8L);
    config.put("intermediate_size", 40L);
    config.put("max_position_embeddings", 40L);
    if (family.equals("mistral")) {
      config.put("sliding_window", null);
    } else if (!family.equals("llama")) {
      config.put("use_sliding_window", false);
    }
    return config;
  }

  private static Map<String, Object> gguf(String family) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("general.architecture", family);
    String prefix = family + ".";
    metadata.put(prefix + "vocab_size", 50L);
    metadata.put(prefix + "context_length", 40L);
    metadata.put(prefix + "embedding_length", 32L);
    metadata.put(prefix + "block_count", (long) LAYERS);
    metadata.put(prefix + "feed_forward_length", 40L);
    metadata.put(prefix + "attention.head_count", 4L);
    metadata.put(
        prefix + "attention.layer_norm" + (family.equals("gpt2") ? "" : "_rms") + "_epsilon",
        1e-5f);
    return metadata;
  }
}
