package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.Tokenizer;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.family.ModelExport;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;
import kv4j.model.tokenizer.export.TokenizerExport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A {@code tokenizer.json}, and the GGUF file written with it, give the same ids. */
@Timeout(600)
class TokenizerExportTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> MERGES =
      List.of("h e", "l l", "he ll", "hell o", "\u0120 w", "\u0120w o", "1 2", "12 3", "' s");
  private static final String BEGIN_AND_END =
      "{\"bos_token\": \"<s>\", \"eos_token\": {\"content\": \"</s>\"}}";
  private static final String LLAMA3 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  @TempDir private Path folder;

  /** 256 bytes, the merges' results, then a control, an ordinary added and a control token. */
  private static ObjectNode byteLevel(String pre) {
    Map<String, Object> vocabulary = Vocabularies.byteLevel("gpt-2", MERGES);
    ObjectNode json = HuggingFaceFolder.byteLevel(tokens(vocabulary), MERGES);
    HuggingFaceFolder.addToken(json, 265, "<|im_start|>", true);
    HuggingFaceFolder.addToken(json, 266, "<tool>", false);
    HuggingFaceFolder.addToken(json, 267, "<|im_end|>", true);
    ObjectNode bytes = (ObjectNode) json.path("pre_tokenizer").deepCopy();
    if (!pre.equals("gpt-2")) {
      ObjectNode first = JSON.createObjectNode();
      if (pre.equals("smollm")) {
        first.put("type", "Digits").put("individual_digits", true);
      } else {
        first.put("type", "Split").put("behavior", "Isolated").put("invert", false);
        first.putObject("pattern").put("Regex", pattern(pre));
        bytes.put("use_regex", false);
        json.withObject("/model").put("ignore_merges", pre.equals("llama-bpe"));
      }
      json.putObject("pre_tokenizer").put("type", "Sequence");
      json.withObject("/pre_tokenizer").putArray("pretokenizers").add(first).add(bytes);
    }
    return json;
  }

  private static String pattern(String pre) {
    return pre.equals("qwen2") ? LLAMA3.replace("{1,3}", "") : LLAMA3;
  }

  /** All pairs of pieces that are a piece, in the order of what they make. */
  private static ObjectNode sentencePiece(List<String> tokens, List<String> byScore) {
    Set<String> pieces = new HashSet<>(byScore);
    List<String> merges = new ArrayList<>();
    for (String piece : byScore) {
      for (int at = 1; at < piece.length(); at++) {
        if (pieces.contains(piece.substring(0, at)) && pieces.contains(piece.substring(at))) {
          merges.add(piece.substring(0, at) + " " + piece.substring(at));
        }
      }
    }
    ObjectNode json = HuggingFaceFolder.sentencePiece(tokens, merges);
    HuggingFaceFolder.addToken(json, 0, "<unk>", true);
    HuggingFaceFolder.addToken(json, 1, "<s>", true);
    HuggingFaceFolder.addToken(json, 2, "</s>", true);
    return json;
  }

  private static ObjectNode sentencePiece() {
    String[] pieces = {" ", "a", "b", "c", "ab", "bc", " a", "abc", " ab", "bcbc", "e", " e"};
    List<String> tokens = tokens(Vocabularies.sentencePiece(pieces));
    return sentencePiece(tokens, tokens.subList(259, tokens.size()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-2", "llama-bpe", "qwen2", "smollm"})
  void byteLevelVocabulariesKeepTheirIds(String pre) throws IOException {
    write(byteLevel(pre), "{}");
    assertEquals(pre, TokenizerExport.metadata(folder, 268).get("tokenizer.ggml.pre"));
    assertKeepsIds(268, 3000, List.of("hello world 123's'S 12345 <tool>", "\r\n  a\n\n b"));
  }

  @Test
  void sentencePieceVocabulariesKeepTheirIds() throws IOException {
    write(sentencePiece(), BEGIN_AND_END);
    assertKeepsIds(271, 3000, List.of("abc bcbc  ab e", "abcabcbcbcbc", " a", "aabbcc"));
    ObjectNode unspaced = sentencePiece();
    unspaced.withArray("/normalizer/normalizers").remove(0);
    write(unspaced, BEGIN_AND_END);
    assertKeepsIds(271, 500, List.of("abc", " abc"));
  }

  @Test
  void gpt2sVocabularyKeepsItsIds() throws IOException {
    Map<String, Object> metadata = RealVocabularies.metadata("gpt-2");
    List<?> merges = (List<?>) metadata.get("tokenizer.ggml.merges");
    ObjectNode json =
        HuggingFaceFolder.byteLevel(
            tokens(metadata), merges.stream().map(String.class::cast).toList());
    HuggingFaceFolder.addToken(json, 50256, "<|endoftext|>", true);
    write(json, "{}");
    assertKeepsIds(50257, 5000, RealVocabularies.texts("gpt-2"));
  }

  @Test
  void llama2sVocabularyKeepsItsIds() throws IOException {
    Map<String, Object> metadata = RealVocabularies.metadata("llama-spm");
    List<String> tokens = tokens(metadata);
    List<?> scores = (List<?>) metadata.get("tokenizer.ggml.scores");
    List<String> byScore =
        IntStream.range(259, tokens.size())
            .boxed()
            .sorted(Comparator.comparing(id -> -((Number) scores.get(id)).floatValue()))
            .map(tokens::get)
            .toList();
    write(sentencePiece(tokens, byScore), BEGIN_AND_END);
    assertKeepsIds(tokens.size(), 5000, RealVocabularies.texts("llama-spm"));
  }

  /** Through a whole file of a small model. */
  private void assertKeepsIds(int vocabulary, int cases, List<String> texts) throws IOException {
    Tokenizer expected = HuggingFaceTokenizer.read(folder);
    TransformerConfig config =
        new TransformerConfig(
            1, 4, 1, 1, 4, 4, vocabulary, 8, 1e-5f, 1e4f, RopePairing.ADJACENT, true);
    Model model = Model.of("m", DemoModels.randomWeights(config, 1), expected, "");
    Path file = folder.resolve("model.gguf");
    ModelExport.gguf(model, TokenizerExport.metadata(folder, vocabulary), file);
    Tokenizer actual;
    try (TensorSource source = ModelFiles.open(file)) {
      actual = GgufTokenizers.from(source.metadata());
    }
    assertEquals(vocabulary, actual.vocabulary());
    assertEquals(expected.beginToken(), actual.beginToken());
    assertEquals(expected.endToken(), actual.endToken());
    assertEquals(expected.addsBegin(), actual.addsBegin());
    assertEquals(expected.addsSpace(), actual.addsSpace());
    List<String> all = new ArrayList<>(texts);
    Random random = new Random(17);
    for (int i = 0; i < cases; i++) {
      all.add(RoundTrips.text(random));
    }
    for (String text : all) {
      // The library knows letters that are younger than Java 17.
      if (text.codePoints().allMatch(Character::isDefined)) {
        assertArrayEquals(expected.encode(text), actual.encode(text), text);
      }
    }
    for (int token = 0; token < expected.vocabulary(); token++) {
      assertArrayEquals(expected.bytes(token), actual.bytes(token), "token " + token);
    }
  }

  @Test
  void whatIsSaidBesideTheVocabularyIsKept() throws IOException {
    ObjectNode json = byteLevel("gpt-2");
    ObjectNode template = json.putObject("post_processor").put("type", "TemplateProcessing");
    template.putArray("single").addObject().putObject("SpecialToken").put("id", "<|im_start|>");
    json.withObject("/model").putNull("unk_token");
    write(
        json,
        "{\"bos_token\": \"<|im_start|>\", \"eos_token\": null, \"chat_template\": \"{{ x }}\"}");
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [267, 265]}");
    Map<String, Object> metadata = TokenizerExport.metadata(folder, 300);
    assertEquals(265, metadata.get("tokenizer.ggml.bos_token_id"));
    assertEquals(267, metadata.get("tokenizer.ggml.eos_token_id"));
    assertEquals(265, metadata.get("tokenizer.ggml.eot_token_id"));
    assertEquals(true, metadata.get("tokenizer.ggml.add_bos_token"));
    assertEquals("{{ x }}", metadata.get("tokenizer.chat_template"));
    assertFalse(metadata.containsKey("tokenizer.ggml.unknown_token_id"));
    Tokenizer tokenizer = GgufTokenizers.from(metadata);
    assertEquals(300, tokenizer.vocabulary());
    assertEquals(Set.of(265, 267), tokenizer.endTokens());
  }

  @Test
  void whatGgufHasNoTermsForIsRefused() throws IOException {
    refuses("only BPE", json -> json.withObject("/model").put("type", "Unigram"));
    refuses("a dropout", json -> json.withObject("/model").put("dropout", 0.1));
    refuses("end_of_word", json -> json.withObject("/model").put("end_of_word_suffix", "</w>"));
    refuses("ignore_merges is true", json -> json.withObject("/model").put("ignore_merges", true));
    refuses(
        "normalizer 'Lowercase'", json -> json.putObject("normalizer").put("type", "Lowercase"));
    refuses(
        "a space before", json -> json.withObject("/pre_tokenizer").put("add_prefix_space", true));
    refuses("none of GPT-2's", json -> json.withObject("/pre_tokenizer").put("type", "Whitespace"));
    refuses("no token", json -> json.withObject("/model").putArray("merges").add("h w"));
    refuses("two of its tokens", json -> json.withObject("/model").putArray("merges").add("h"));
    refuses("the model has 268", json -> HuggingFaceFolder.addToken(json, 268, "<x>", true));
    refuses("has the id -1", json -> HuggingFaceFolder.addToken(json, -1, "<x>", true));
    refuses("the same id", json -> HuggingFaceFolder.addToken(json, 3, "<x>", true));
    refuses("neither byte-level", json -> json.withObject("/decoder").put("type", "Metaspace"));
    ObjectNode disordered = sentencePiece();
    disordered.withArray("/model/merges").remove(0);
    write(disordered, "{}");
    String message = refusal(271);
    assertTrue(message.contains("its merges for 'ab'"), message);
    Files.delete(folder.resolve("tokenizer.json"));
    assertTrue(refusal(268).contains("there is no tokenizer"));
  }

  private void refuses(String reason, Consumer<ObjectNode> change) throws IOException {
    ObjectNode json = byteLevel("gpt-2");
    change.accept(json);
    write(json, "{}");
    String message = refusal(268);
    assertTrue(message.contains(reason), message);
  }

  private String refusal(int vocabulary) {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> TokenizerExport.metadata(folder, vocabulary))
            .getMessage();
    assertTrue(message.contains(folder.toString()), message);
    return message;
  }

  /** Merges that lead round in circles, of which there can be no end, or that are there twice. */
  @Test
  void mergesInCirclesEnd() throws IOException {
    List<String> tokens = tokens(Vocabularies.byteLevel("gpt-2", List.of("a b", "b a", "ab ab")));
    List<String> merges = List.of("a b", "b a", "ab ab", "a b", "ab ab", "b a");
    write(HuggingFaceFolder.byteLevel(tokens, merges), "{}");
    assertKeepsIds(259, 0, List.of("ab".repeat(1000), "ba".repeat(999) + "b", "aabb".repeat(500)));
    ObjectNode circle = HuggingFaceFolder.byteLevel(tokens, merges);
    circle.withObject("/model/vocab").put("ab", 97); // a and b make a again
    write(circle, "{}");
    String message = refusal(268);
    assertTrue(message.contains("the same id"), message);
    assertTrue(HuggingFaceTokenizer.read(folder).encode("ab".repeat(1000)).length > 0);
  }

  @Test
  void changedFilesWorkOrAreRefused() throws IOException {
    Random random = new Random(8);
    List<String> sound =
        List.of(
            byteLevel("gpt-2").toString(),
            byteLevel("llama-bpe").toString(),
            sentencePiece().toString());
    int refused = 0;
    for (int i = 0; i < 2000; i++) {
      StringBuilder text = new StringBuilder(sound.get(i % sound.size()));
      for (int changes = random.nextInt(3); changes >= 0; changes--) {
        change(text, random);
      }
      Files.writeString(folder.resolve("tokenizer.json"), text);
      try {
        Tokenizer tokenizer = GgufTokenizers.from(TokenizerExport.metadata(folder, 280));
        tokenizer.decode(tokenizer.encode("hello <tool> ab \u4E2D"));
      } catch (IllegalArgumentException e) {
        assertFalse(e.getMessage().isBlank(), "case " + i);
        refused++;
      } catch (RuntimeException | StackOverflowError e) {
        throw new AssertionError("case " + i + ": " + text, e);
      }
    }
    assertTrue(refused > 200 && refused < 1900, refused + " refused");
  }

  private static void change(StringBuilder text, Random random) {
    String[] pieces = {
      "{", "}", "[", "]", "\"", ",", ":", "0", "-1", "9999999999", "1e999", "null"
    };
    int from = random.nextInt(text.length());
    int to = Math.min(text.length(), from + random.nextInt(4));
    switch (random.nextInt(4)) {
      case 0 -> text.setLength(from);
      case 1 -> text.replace(from, to, pieces[random.nextInt(pieces.length)]);
      case 2 -> text.insert(from, text.substring(from, Math.min(text.length(), from + 40)));
      default -> text.setCharAt(from, (char) (' ' + random.nextInt(90)));
    }
  }

  private void write(ObjectNode json, String config) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), json.toString());
    Files.writeString(folder.resolve("tokenizer_config.json"), config);
  }

  @SuppressWarnings("unchecked")
  private static List<String> tokens(Map<String, Object> metadata) {
    return new ArrayList<>((List<String>) metadata.get("tokenizer.ggml.tokens"));
  }
}
