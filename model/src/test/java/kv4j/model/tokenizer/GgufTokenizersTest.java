package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import kv4j.model.Tokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufTokenizersTest {
  private static final List<String> MERGES =
      List.of("h e", "l l", "he ll", "hell o", "\u0120 w", "\u0120w o", "1 2", "12 3", "' s");

  /** Ids 256 onwards are the merges' results, 265 the control token. */
  private static Map<String, Object> byteLevel(String pre) {
    return Vocabularies.byteLevel(pre, MERGES, "<|im_end|>");
  }

  private static Map<String, Object> sentencePiece() {
    return Vocabularies.sentencePiece(
        " a", "b", "c", "bc", "ab", " ab", " ", "a", "<", "/", "s", ">", "</", "s>", "</s>");
  }

  @Test
  void theEarliestMergeComesFirst() {
    Tokenizer tokenizer = GgufTokenizers.from(byteLevel("gpt-2"));
    // he ll -> hell -> hello; " wo" after the word; "123" by way of "12"
    assertArrayEquals(new int[] {259}, tokenizer.encode("hello"));
    assertArrayEquals(new int[] {259, 261}, tokenizer.encode("hello wo"));
    assertArrayEquals(new int[] {'h', 257, 256, 'l'}, tokenizer.encode("hllhel"));
    assertArrayEquals(new int[] {263, '4'}, tokenizer.encode("1234"));
  }

  @Test
  void thePreTokenizerDecidesWhatCanMerge() {
    assertArrayEquals(new int[] {263}, GgufTokenizers.from(byteLevel("gpt-2")).encode("123"));
    assertArrayEquals(new int[] {263}, GgufTokenizers.from(byteLevel("llama-bpe")).encode("123"));
    int[] digits = {'1', '2', '3'};
    assertArrayEquals(digits, GgufTokenizers.from(byteLevel("qwen2")).encode("123"));
    assertArrayEquals(digits, GgufTokenizers.from(byteLevel("smollm")).encode("123"));
    assertArrayEquals(new int[] {264}, GgufTokenizers.from(byteLevel("gpt-2")).encode("'s"));
    assertArrayEquals(
        new int[] {'\'', 's'}, GgufTokenizers.from(byteLevel("default")).encode("'s"));
  }

  @Test
  void onlyLlama3TakesAWordThatNoMergesMake() {
    Map<String, Object> metadata = byteLevel("llama-bpe");
    List<String> tokens = new ArrayList<>(strings(metadata, "tokens"));
    tokens.set(255, "zzz");
    metadata.put("tokenizer.ggml.tokens", tokens);
    assertArrayEquals(new int[] {255}, GgufTokenizers.from(metadata).encode("zzz"));
    metadata.put("tokenizer.ggml.pre", "qwen2");
    assertArrayEquals(new int[] {'z', 'z', 'z'}, GgufTokenizers.from(metadata).encode("zzz"));
  }

  @Test
  void theBestScoreComesFirst() {
    Tokenizer tokenizer = GgufTokenizers.from(sentencePiece());
    int first = 259;
    // " a" (0) beats "bc" (3), which beats " ab" (5)
    assertArrayEquals(new int[] {first, first + 3}, tokenizer.encode("abc"));
    // no " a" to be had within: "bc" (3) beats "ab" (4)
    assertArrayEquals(new int[] {first, first + 7, first + 3}, tokenizer.encode("aabc"));
    // U+00E9 is spelt in bytes
    assertArrayEquals(new int[] {first + 6, 3 + 0xC3, 3 + 0xA9}, tokenizer.encode("\u00E9"));
    assertEquals("", tokenizer.decode(tokenizer.encode("")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-2", "llama-bpe", "qwen2", "smollm", "default", "llama"})
  void losesNothing(String kind) {
    Map<String, Object> metadata = kind.equals("llama") ? sentencePiece() : byteLevel(kind);
    RoundTrips.assertRoundTrips(GgufTokenizers.from(metadata), 2000, 5);
  }

  @Test
  void controlTokensInTextAreTextUnlessAllowed() {
    Tokenizer bytes = GgufTokenizers.from(byteLevel("qwen2"));
    assertFalse(contains(bytes.encode("a<|im_end|>"), 265));
    assertArrayEquals(new int[] {'a', 265, 'b'}, bytes.encodeWithSpecial("a<|im_end|>b"));
    String escaped = bytes.escapeSpecial("<|im_end|>");
    assertArrayEquals(bytes.encode("<|im_end|>"), bytes.encodeWithSpecial(escaped));
    assertEquals(escaped, bytes.decode(bytes.encode(escaped)), "text as such keeps the mark");
    assertEquals("ab", bytes.decode('a', 265, 'b'));
    assertEquals(Set.of(265), bytes.endTokens());

    // pieces that would merge into the control token's own text
    Tokenizer pieces = GgufTokenizers.from(sentencePiece());
    assertFalse(contains(pieces.encode("</s>"), 2));
    assertTrue(contains(pieces.encodeWithSpecial("</s>"), 2));
  }

  @Test
  void theLongestSpecialTokenComesFirst() {
    Map<String, Object> metadata =
        Vocabularies.byteLevel("qwen2", List.of(), "<a>", "<a><b>", "<b>");
    Tokenizer tokenizer = GgufTokenizers.from(metadata);
    assertArrayEquals(new int[] {257, 256, 'x', 258}, tokenizer.encodeWithSpecial("<a><b><a>x<b>"));
  }

  @Test
  void userDefinedTokensAreFoundInAnyText() {
    Map<String, Object> metadata = Vocabularies.byteLevel("qwen2", MERGES, "<tool>");
    List<Object> types = new ArrayList<>((List<?>) metadata.get("tokenizer.ggml.token_type"));
    types.set(265, 4);
    metadata.put("tokenizer.ggml.token_type", types);
    Tokenizer tokenizer = GgufTokenizers.from(metadata);
    assertArrayEquals(new int[] {'a', 265}, tokenizer.encode("a<tool>"));
    assertEquals("a<tool>", tokenizer.decode('a', 265));
  }

  @Test
  void phi3sSpecialTokensTakeTheWhitespaceAfterThem() {
    Map<String, Object> metadata =
        Vocabularies.byteLevel("qwen2", List.of(), "<|user|>", "<s>", "<|end|>");
    int[] kept = {256, ' ', '\n', 'a', 257, ' ', 'b', 258, '\n', 256};
    String text = "<|user|> \na<s> b<|end|>\n<|user|>";
    assertArrayEquals(kept, GgufTokenizers.from(metadata).encodeWithSpecial(text));
    metadata.put("general.name", "Phi-3 mini");
    int[] stripped = {256, 'a', 257, ' ', 'b', 258, 256};
    assertArrayEquals(stripped, GgufTokenizers.from(metadata).encodeWithSpecial(text));
  }

  @Test
  void whatIsMarkedIsTextWhateverLiesOverIt() {
    Map<String, Object> metadata =
        Vocabularies.byteLevel("qwen2", List.of(), "##", "#>", "x##y", "\n");
    List<Object> types = new ArrayList<>((List<?>) metadata.get("tokenizer.ggml.token_type"));
    types.set(258, 4);
    types.set(259, 4);
    metadata.put("tokenizer.ggml.token_type", types);
    Tokenizer tokenizer = GgufTokenizers.from(metadata);
    for (String text : List.of("###>", "x##y", "#x##y#>\n", "x##z")) {
      assertArrayEquals(
          tokenizer.encode(text), tokenizer.encodeWithSpecial(tokenizer.escapeSpecial(text)), text);
    }
    assertArrayEquals(new int[] {'#', 258, '#', '>', 259}, tokenizer.encode("#x##y#>\n"));
    assertArrayEquals(new int[] {256, 257}, tokenizer.encodeWithSpecial("###>"));
  }

  @Test
  void longTextsTakeLittleTime() {
    Tokenizer bytes = GgufTokenizers.from(byteLevel("llama-bpe"));
    Tokenizer pieces = GgufTokenizers.from(sentencePiece());
    for (String unit : List.of("a", " ", "\n", "b", "'", "1", "<0x0A>", "\uD83D\uDE00")) {
      String text = unit.repeat(100_000);
      assertEquals(text, bytes.decode(bytes.encode(text)));
      assertEquals(text, pieces.decode(pieces.encode(text)));
    }
  }

  @Test
  void defaultsFollowTheVocabularysKind() {
    Tokenizer pieces = GgufTokenizers.from(sentencePiece());
    assertEquals(List.of(1, 2), List.of(pieces.beginToken(), pieces.endToken()));
    assertTrue(pieces.addsBegin() && pieces.addsSpace());
    Map<String, Object> metadata = sentencePiece();
    metadata.put("tokenizer.ggml.add_space_prefix", false);
    metadata.put("tokenizer.ggml.add_bos_token", false);
    metadata.put("tokenizer.ggml.eos_token_id", 7);
    metadata.put("tokenizer.ggml.eot_token_id", 8L);
    Tokenizer other = GgufTokenizers.from(metadata);
    assertFalse(other.addsBegin() || other.addsSpace());
    assertEquals(Set.of(2, 7, 8), other.endTokens(), "</s> ends whatever else does");
    assertEquals(-1, GgufTokenizers.from(byteLevel("gpt-2")).beginToken());
  }

  @Test
  void malformedVocabulariesAreRefused() {
    refuses("tokenizer.ggml.model", byteLevel("gpt-2"), "model", null);
    refuses("'t5'", byteLevel("gpt-2"), "model", "t5");
    refuses("'kimi-k2'", byteLevel("kimi-k2"), "eos_token_id", 1);
    refuses("no tokens", byteLevel("gpt-2"), "tokens", List.of());
    Map<String, Object> bytes = Vocabularies.byteLevel("gpt-2", List.of());
    refuses("needs 'he'", bytes, "merges", List.of("h e"));
    refuses("not a pair", byteLevel("gpt-2"), "merges", List.of("he"));
    refuses("type 9", byteLevel("gpt-2"), "token_type", List.of(9));
    refuses("1 types", byteLevel("gpt-2"), "token_type", List.of(1));
    refuses("eos_token_id 266", byteLevel("gpt-2"), "eos_token_id", 266);
    refuses("bos_token_id -1", byteLevel("gpt-2"), "bos_token_id", -1);
    refuses("a String", byteLevel("gpt-2"), "tokens", List.of(1));
    refuses("needs scores", sentencePiece(), "scores", null);
    refuses("2 scores", sentencePiece(), "scores", List.of(1f, 2f));
    refuses("byte token 0", sentencePiece(), "token_type", Collections.nCopies(274, 6));
    List<Object> scores = new ArrayList<>((List<?>) sentencePiece().get("tokenizer.ggml.scores"));
    scores.set(3, Float.NaN);
    refuses("score of token 3", sentencePiece(), "scores", scores);
  }

  private static void refuses(
      String reason, Map<String, Object> metadata, String key, Object value) {
    if (value == null) {
      metadata.remove("tokenizer.ggml." + key);
    } else {
      metadata.put("tokenizer.ggml." + key, value);
    }
    String message =
        assertThrows(IllegalArgumentException.class, () -> GgufTokenizers.from(metadata))
            .getMessage();
    assertTrue(message.contains(reason), message);
  }

  @Test
  void mutatedVocabulariesWorkOrAreRefused() {
    long seed = 4242;
    Random random = new Random(seed);
    int worked = 0;
    for (int i = 0; i < 6000; i++) {
      Map<String, Object> metadata =
          new HashMap<>(i % 2 == 0 ? byteLevel("llama-bpe") : sentencePiece());
      for (int change = random.nextInt(3); change >= 0; change--) {
        mutate(metadata, random);
      }
      String text = RoundTrips.text(random) + "hello</s>";
      try {
        Tokenizer tokenizer = GgufTokenizers.from(metadata);
        for (int token : tokenizer.encodeWithSpecial(text)) {
          assertTrue(token >= 0 && token < tokenizer.vocabulary(), "seed " + seed + " case " + i);
        }
        RoundTrips.stream(tokenizer, tokenizer.encode(text));
        worked++;
      } catch (IllegalArgumentException e) {
        assertFalse(e.getMessage().isBlank(), "seed " + seed + " case " + i);
      }
    }
    assertTrue(worked > 500 && worked < 5500, worked + " worked");
  }

  private static void mutate(Map<String, Object> metadata, Random random) {
    Object[] values = {
      -1,
      0,
      1,
      4,
      6,
      Long.MAX_VALUE,
      Float.NaN,
      Float.NEGATIVE_INFINITY,
      "",
      " ",
      "he",
      "a b",
      "<0x41>",
      true,
      List.of()
    };
    Object value = values[random.nextInt(values.length)];
    List<String> keys = new ArrayList<>(metadata.keySet());
    keys.sort(null);
    String key = keys.get(random.nextInt(keys.size()));
    if (metadata.get(key) instanceof List<?> list && !list.isEmpty() && random.nextInt(4) > 0) {
      List<Object> changed = new ArrayList<>(list);
      int at = random.nextInt(changed.size());
      switch (random.nextInt(3)) {
        case 0 -> changed.set(at, value);
        case 1 -> changed.set(at, changed.get(random.nextInt(changed.size())));
        default -> changed.subList(at, Math.min(changed.size(), at + random.nextInt(3))).clear();
      }
      metadata.put(key, changed);
    } else if (random.nextBoolean()) {
      String[] ids = {
        "bos_token_id", "eos_token_id", "unknown_token_id", "eot_token_id", "add_bos_token"
      };
      metadata.put("tokenizer.ggml." + ids[random.nextInt(ids.length)], value);
    } else {
      metadata.put(key, value);
    }
  }

  private static boolean contains(int[] tokens, int token) {
    return Arrays.stream(tokens).anyMatch(other -> other == token);
  }

  @SuppressWarnings("unchecked")
  private static List<String> strings(Map<String, Object> metadata, String key) {
    return (List<String>) metadata.get("tokenizer.ggml." + key);
  }
}
