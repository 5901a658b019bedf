package kv4j.model.family;

import static kv4j.model.family.SmallModels.assertRefused;
import static kv4j.model.family.SmallModels.load;
import static kv4j.model.family.SmallModels.shape;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerWeights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where GGUF files say less or more than usual. */
class GgufConventionsTest {
  @TempDir private Path folder;

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
