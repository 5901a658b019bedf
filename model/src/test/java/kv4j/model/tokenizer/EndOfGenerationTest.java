package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;
import kv4j.model.tokenizer.Vocabulary.Type;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EndOfGenerationTest {
  private static Set<Integer> ends(Map<String, Integer> named, String... texts) {
    List<Type> types = Collections.nCopies(texts.length, Type.CONTROL);
    return EndOfGeneration.of(List.of(texts), types, named).tokens();
  }

  /** By name alone, whatever the file says of its type: a template must be able to name it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "<|eot_id|>",
        "<|im_end|>",
        "<|end|>",
        "<|return|>",
        "<|call|>",
        "<|flush|>",
        "<|calls|>",
        "<end_of_turn>",
        "<|endoftext|>",
        "</s>",
        "<|eom_id|>",
        "<EOT>",
        "_<EOT>",
        "[EOT]",
        "[EOS]",
        "<|end_of_text|>",
        "<end_of_utterance>",
        "<eos>",
        "<turn|>",
        "<|tool_response>",
        "<\uFF5Cend\u2581of\u2581sentence\uFF5C>",
        "[e~[",
        "<|fim_pad|>",
        "<PAD>",
        "<|repo_name|>",
        "<reponame>",
        "<|file_sep|>"
      })
  void tokensEndAGenerationByName(String name) {
    for (int type : List.of(1, 3, 4, 5)) {
      Map<String, Object> metadata = Vocabularies.byteLevel("qwen2", List.of(), name);
      List<Integer> types = IntStream.range(0, 257).mapToObj(t -> t < 256 ? 1 : type).toList();
      metadata.put("tokenizer.ggml.token_type", types);
      Tokenizer tokenizer = GgufTokenizers.from(metadata);
      assertEquals(Set.of(256), tokenizer.endTokens(), name + " of type " + type);
      assertArrayEquals(new int[] {'a', 256}, tokenizer.encodeWithSpecial("a" + name));
      assertFalse(IntStream.of(tokenizer.encode("a" + name)).anyMatch(t -> t == 256), name);
      assertEquals("a", tokenizer.decode('a', 256), name);
    }
    Map<String, Object> untyped = Vocabularies.byteLevel("qwen2", List.of(), name);
    untyped.remove("tokenizer.ggml.token_type");
    assertEquals(Set.of(256), GgufTokenizers.from(untyped).endTokens(), name);
  }

  @Test
  void otherNamesEndNothing() {
    assertEquals(Set.of(), ends(Map.of(), "<|im_start|>", "<s>", "<|end_header_id|>", "end"));
  }

  @Test
  void theFileNamesTokensByRole() {
    Map<String, Object> metadata =
        Vocabularies.byteLevel("qwen2", List.of(), "a1", "a2", "a3", "a4", "a5", "a6");
    int token = 256;
    for (String role : List.of("eos", "eot", "eom", "fim_pad", "fim_rep", "fim_sep")) {
      metadata.put("tokenizer.ggml." + role + "_token_id", (long) token++);
    }
    assertEquals(Set.of(256, 257, 258, 259, 260, 261), GgufTokenizers.from(metadata).endTokens());
    assertEquals(256, GgufTokenizers.from(metadata).endToken());
  }

  /** A role that the file fills is not looked for by name; a turn's end always is. */
  @Test
  void namesOfInfillTokensCountWhereTheFileNamesNone() {
    assertEquals(Set.of(0, 1), ends(Map.of(), "<|fim_pad|>", "<|file_sep|>"));
    assertEquals(Set.of(2), ends(Map.of("fim_pad", 2), "<|fim_pad|>", "x", "y"));
    assertEquals(Set.of(0, 1), ends(Map.of("eot", 1), "<|im_end|>", "x"));
  }

  /** In Harmony, {@code <|end|>} ends a message, after which the model goes on to the next. */
  @Test
  void theEndOfAMessageIsNotTheEndWhereAReturnIs() {
    assertEquals(Set.of(0, 1), ends(Map.of(), "<|return|>", "<|call|>", "<|end|>"));
    assertEquals(Set.of(0, 1), ends(Map.of(), "<|flush|>", "<|calls|>", "<|end|>"));
    assertEquals(Set.of(0, 1), ends(Map.of("eot", 2), "<|return|>", "<|call|>", "<|end|>"));
    assertEquals(Set.of(0, 1), ends(Map.of(), "<|return|>", "<|end|>"));
    assertEquals(Set.of(0, 1), ends(Map.of(), "<|call|>", "<|end|>"));
    assertEquals(Set.of(0), ends(Map.of(), "<|end|>"));
    assertEquals(
        List.of(Type.CONTROL, Type.CONTROL, Type.USER_DEFINED, Type.USER_DEFINED),
        EndOfGeneration.of(
                List.of("<|return|>", "<|call|>", "<|end|>", "<|channel|>"),
                Collections.nCopies(4, Type.NORMAL),
                Map.of())
            .types());
  }

  @Test
  void vocabulariesWithToolResponsesHaveAnotherEnd() {
    assertEquals(Set.of(0), ends(Map.of(), "<|tool_response>", "</s>"));
  }
}
