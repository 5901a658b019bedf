package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HuggingFaceTokenizerTest {
  private static final List<String> MERGES =
      List.of("h e", "l l", "he ll", "hell o", "\u0120 w", "\u0120w o", "1 2", "12 3");

  @TempDir Path folder;

  /** 256 bytes, the merges' results, then a control, an ordinary added and a control token. */
  private ObjectNode byteLevel() {
    ObjectNode json =
        HuggingFaceFolder.byteLevel(tokens(Vocabularies.byteLevel("gpt-2", MERGES)), MERGES);
    HuggingFaceFolder.addToken(json, 264, "<|im_start|>", true);
    HuggingFaceFolder.addToken(json, 265, "<tool>", false);
    HuggingFaceFolder.addToken(json, 266, "<|im_end|>", true);
    return json;
  }

  private static ObjectNode sentencePiece() {
    String[] pieces = {" ", "a", "b", "c", "<", "s", ">", " a", "bc"};
    ObjectNode json =
        HuggingFaceFolder.sentencePiece(
            tokens(Vocabularies.sentencePiece(pieces)), List.of("\u2581 a", "b c"));
    HuggingFaceFolder.addToken(json, 0, "<unk>", true);
    HuggingFaceFolder.addToken(json, 1, "<s>", true);
    HuggingFaceFolder.addToken(json, 2, "</s>", true);
    return json;
  }

  @Test
  void isTheSameVocabularyAsInGguf() throws IOException {
    Tokenizer tokenizer = read(byteLevel(), "{}");
    Tokenizer gguf = GgufTokenizers.from(Vocabularies.byteLevel("gpt-2", MERGES));
    Random random = new Random(31);
    for (int i = 0; i < 500; i++) {
      String text = "hello wo123 " + RoundTrips.text(random);
      assertArrayEquals(gguf.encode(text), tokenizer.encode(text), text);
    }
    assertEquals(267, tokenizer.vocabulary());
  }

  @Test
  void losesNoText() throws IOException {
    for (ObjectNode json : List.of(byteLevel(), sentencePiece())) {
      Tokenizer tokenizer = read(json, "{}");
      Random random = new Random(32);
      for (int i = 0; i < 500; i++) {
        String text = RoundTrips.text(random);
        int[] tokens = tokenizer.encode(text);
        assertEquals(text, tokenizer.decode(tokens));
        String space = tokenizer.addsSpace() && !text.isEmpty() ? " " : "";
        assertEquals(space + text, RoundTrips.stream(tokenizer, tokens));
      }
    }
  }

  @Test
  void controlTokensInTextAreTextUnlessAllowed() throws IOException {
    Tokenizer tokenizer = read(byteLevel(), "{}");
    String text = "a<|im_end|>b";
    assertEquals(text.length(), tokenizer.encode(text).length, "one token for each byte");
    assertArrayEquals(new int[] {'a', 266, 'b'}, tokenizer.encodeWithSpecial(text));
    assertArrayEquals(new int[] {'a', 265}, tokenizer.encode("a<tool>"));
    String mixed = "<|im_start|>" + tokenizer.escapeSpecial(text) + "<|im_end|>";
    int[] tokens = tokenizer.encodeWithSpecial(mixed);
    assertEquals(264, tokens[0]);
    assertEquals(266, tokens[tokens.length - 1]);
    assertEquals(text.length() + 2, tokens.length);
    assertEquals(text, tokenizer.decode(tokens));
    assertEquals("<tool>", tokenizer.decode(265));

    Tokenizer pieces = read(sentencePiece(), "{}");
    assertEquals("a<s>", pieces.decode(pieces.encode("a<s>")));
    assertFalse(IntStream.of(pieces.encode("a<s>")).anyMatch(t -> t == 1));
    assertTrue(IntStream.of(pieces.encodeWithSpecial("a<s>")).anyMatch(t -> t == 1));
  }

  @Test
  void theFilesBesideNameBeginAndEnd() throws IOException {
    Tokenizer plain = read(byteLevel(), "{\"eos_token\": \"<|im_end|>\", \"bos_token\": null}");
    assertEquals(-1, plain.beginToken());
    assertEquals(266, plain.endToken());
    assertFalse(plain.addsBegin());
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [266, 264]}");
    Tokenizer begun =
        read(
            byteLevel(),
            "{\"bos_token\": {\"content\": \"<|im_start|>\"}, \"add_bos_token\": true}");
    assertEquals(264, begun.beginToken());
    assertTrue(begun.addsBegin());
    assertEquals(Set.of(264, 266), begun.endTokens());
    assertEquals("<|im_start|>", begun.name(264));
  }

  @Test
  void noBeginTokenIsNotTheTokenNull() throws IOException {
    ObjectNode json = byteLevel();
    HuggingFaceFolder.addToken(json, 267, "null", false);
    assertEquals(267, read(json, "{\"bos_token\": \"null\"}").beginToken());
    Tokenizer none = read(json, "{\"bos_token\": null, \"eos_token\": {\"content\": null}}");
    assertEquals(-1, none.beginToken());
    assertEquals(-1, none.endToken());
  }

  @Test
  void thePostProcessorMayAddTheBeginToken() throws IOException {
    ObjectNode json = byteLevel();
    ObjectNode template = json.putObject("post_processor").put("type", "TemplateProcessing");
    template
        .putArray("single")
        .addObject()
        .putObject("SpecialToken")
        .put("id", "<|im_start|>")
        .put("type_id", 0);
    template
        .withArray("/single")
        .addObject()
        .putObject("Sequence")
        .put("id", "A")
        .put("type_id", 0);
    template.putArray("pair").addAll(template.withArray("/single").deepCopy());
    template.withArray("/pair").addObject().putObject("Sequence").put("id", "B").put("type_id", 1);
    ObjectNode token = template.putObject("special_tokens").putObject("<|im_start|>");
    token.put("id", "<|im_start|>").putArray("ids").add(264);
    token.putArray("tokens").add("<|im_start|>");
    Tokenizer tokenizer = read(json, "{\"bos_token\": \"<|im_start|>\"}");
    assertTrue(tokenizer.addsBegin());
    assertArrayEquals(new int[] {'a'}, tokenizer.encode("a"), "encoding leaves it to the caller");
  }

  @Test
  void nothingIsTruncatedOrPadded() throws IOException {
    ObjectNode json = byteLevel();
    ObjectNode truncation = json.putObject("truncation").put("direction", "Right");
    truncation.put("max_length", 4).put("strategy", "LongestFirst").put("stride", 0);
    assertEquals(5000, read(json, "{\"model_max_length\": 8}").encode("x".repeat(5000)).length);
  }

  @Test
  void malformedFilesAreRefused() throws IOException {
    assertThrows(IllegalArgumentException.class, () -> HuggingFaceTokenizer.read(folder));
    refuses("1", "is not a JSON object");
    refuses("{", "is not JSON");
    refuses("{}", "it has no vocabulary");
    ObjectNode unigram = byteLevel();
    unigram.withObject("/model").put("type", "Unigram");
    refuses(unigram.toString(), "unsupported model 'Unigram'");
    ObjectNode undecoded = byteLevel();
    undecoded.putNull("decoder");
    refuses(undecoded.toString(), "unsupported decoder");
    ObjectNode negative = byteLevel();
    HuggingFaceFolder.addToken(negative, -1, "<x>", true);
    refuses(negative.toString(), "token '<x>' has the id -1");
    ObjectNode incomplete = byteLevel();
    incomplete.withObject("/model").putArray("merges").add("he nonesuch");
    refuses(incomplete.toString(), "not a tokenizer");
  }

  private void refuses(String json, String reason) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), json);
    String message =
        assertThrows(IllegalArgumentException.class, () -> HuggingFaceTokenizer.read(folder))
            .getMessage();
    assertTrue(message.contains(reason), message);
  }

  @Test
  void changedFilesWorkOrAreRefused() throws IOException {
    long seed = 6;
    Random random = new Random(seed);
    String file = byteLevel().toString();
    String spice = "{}[]\":,0-9ae\\";
    for (int i = 0; i < 300; i++) {
      StringBuilder text = new StringBuilder(file);
      int at = random.nextBoolean() ? random.nextInt(file.length()) : random.nextInt(400);
      text.replace(
          at,
          at + random.nextInt(3),
          spice.substring(random.nextInt(spice.length())).substring(0, 1));
      Files.writeString(folder.resolve("tokenizer.json"), text);
      try {
        Tokenizer tokenizer = HuggingFaceTokenizer.read(folder);
        tokenizer.decode(tokenizer.encode("hello \u4E2D"));
      } catch (IllegalArgumentException e) {
        assertFalse(e.getMessage().isBlank(), "seed " + seed + " case " + i);
      }
    }
  }

  private Tokenizer read(ObjectNode json, String config) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), json.toString());
    Files.writeString(folder.resolve("tokenizer_config.json"), config);
    return HuggingFaceTokenizer.read(folder);
  }

  @SuppressWarnings("unchecked")
  private static List<String> tokens(Map<String, Object> metadata) {
    return new ArrayList<>((List<String>) metadata.get("tokenizer.ggml.tokens"));
  }
}
