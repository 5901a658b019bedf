package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import kv4j.model.Tokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a user typed never says a special token, and does not change how the text around it is
 * encoded. The judge is the tokenizers library on the same file with the special tokens renamed,
 * which the typed text then does not name.
 */
class SpecialTextTest {
  private static final Map<String, String> RENAMED =
      Map.of("<unk>", "\u27E60\u27E7", "<s>", "\u27E61\u27E7", "</s>", "\u27E62\u27E7");
  private static final List<String> FLAGS =
      List.of("lstrip", "rstrip", "single_word", "normalized");

  @TempDir Path folder;

  private static ObjectNode pieces(String space) {
    String[] texts = {
      " ", "h", "i", "x", "<", ">", "/", "s", "u", "n", "k", " h", "hi", " hi", " x", "un", "\n"
    };
    ObjectNode json =
        HuggingFaceFolder.sentencePiece(
            tokens(Vocabularies.sentencePiece(texts)),
            List.of("\u2581 h", "h i", "\u2581h i", "\u2581 x", "u n"));
    if (!space.equals("prepended")) {
      json.remove("normalizer");
      ObjectNode metaspace = json.putObject("pre_tokenizer").put("type", "Metaspace");
      metaspace.put("replacement", "\u2581").put("prepend_scheme", space).put("split", false);
    }
    return json;
  }

  private static ObjectNode bytes(boolean prefix) {
    List<String> merges = List.of("h i", "\u0120 hi", "\u0120 x", "u n");
    ObjectNode json =
        HuggingFaceFolder.byteLevel(tokens(Vocabularies.byteLevel("gpt-2", merges)), merges);
    json.withObject("/pre_tokenizer").put("add_prefix_space", prefix);
    return json;
  }

  @ParameterizedTest
  @ValueSource(strings = {"prepended", "first", "always", "never", "bytes", "prefixed bytes"})
  void typedSpecialTextLeavesItsNeighbours(String kind) throws IOException {
    long seed = 14;
    Random random = new Random(seed);
    for (int file = 0; file < 40; file++) {
      ObjectNode json = kind.endsWith("bytes") ? bytes(kind.startsWith("p")) : pieces(kind);
      addTokens(json, kind.endsWith("bytes") ? 260 : 0, file == 0 ? null : random);
      Tokenizer tokenizer = read(json);
      try (var judge = library(renamed(json))) {
        for (int i = 0; i < 100; i++) {
          StringBuilder prompt = new StringBuilder();
          StringBuilder judged = new StringBuilder();
          for (int part = random.nextInt(4); part >= 0; part--) {
            String written = text(random);
            String typed = text(random);
            prompt.append(written).append(tokenizer.escapeSpecial(typed));
            for (Map.Entry<String, String> name : RENAMED.entrySet()) {
              written = written.replace(name.getKey(), name.getValue());
            }
            judged.append(written).append(typed);
          }
          String what =
              "seed " + seed + " file " + file + " '" + prompt + "' " + json.path("added_tokens");
          assertArrayEquals(
              ids(judge, judged.toString()), tokenizer.encodeWithSpecial(prompt.toString()), what);
        }
      }
    }
  }

  private static String text(Random random) {
    String[] pieces = {"hi", " ", "x", "un", "<unk>", "<s>", "</s>", "\n", "\u00E9", "  ", "<t>"};
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(5); i > 0; i--) {
      text.append(pieces[random.nextInt(pieces.length)]);
    }
    return text.toString();
  }

  /** Special tokens, and an ordinary one, with flags as chance has it, or none. */
  private static void addTokens(ObjectNode json, int first, Random random) {
    HuggingFaceFolder.addToken(json, first, "<unk>", true);
    HuggingFaceFolder.addToken(json, first + 1, "<s>", true);
    HuggingFaceFolder.addToken(json, first + 2, "</s>", true);
    int ordinary = first > 0 ? first + 3 : json.at("/model/vocab").size();
    HuggingFaceFolder.addToken(json, ordinary, "<t>", false);
    for (JsonNode token : json.path("added_tokens")) {
      boolean special = token.path("special").asBoolean();
      for (String flag : FLAGS) {
        // A name that these keep from being found would be text, another one in the renamed file.
        boolean mayHide =
            flag.equals("single_word") || flag.equals("normalized") && json.has("normalizer");
        boolean chosen = random != null && random.nextInt(3) == 0;
        ((ObjectNode) token).put(flag, chosen && !(special && mayHide));
      }
    }
  }

  private static ObjectNode renamed(ObjectNode json) {
    ObjectNode renamed = json.deepCopy();
    ObjectNode vocabulary = (ObjectNode) renamed.at("/model/vocab");
    RENAMED.forEach(
        (name, other) -> {
          JsonNode id = vocabulary.remove(name);
          if (id != null) {
            vocabulary.set(other, id);
          }
          for (JsonNode token : renamed.path("added_tokens")) {
            if (token.path("content").asText().equals(name)) {
              ((ObjectNode) token).put("content", other);
            }
          }
          if (renamed.at("/model/unk_token").asText().equals(name)) {
            renamed.withObject("/model").put("unk_token", other);
          }
        });
    return renamed;
  }

  private static ai.djl.huggingface.tokenizers.HuggingFaceTokenizer library(ObjectNode json)
      throws IOException {
    return ai.djl.huggingface.tokenizers.HuggingFaceTokenizer.newInstance(
        new ByteArrayInputStream(json.toString().getBytes(StandardCharsets.UTF_8)), Map.of());
  }

  private static int[] ids(
      ai.djl.huggingface.tokenizers.HuggingFaceTokenizer library, String text) {
    return Arrays.stream(library.encode(text, false, false).getIds())
        .mapToInt(Math::toIntExact)
        .toArray();
  }

  /** {@code prepend_scheme: first} puts a space before a text, and not after a special token. */
  @Test
  void onlyTheFirstTextGetsASpace() throws IOException {
    ObjectNode json = pieces("first");
    addTokens(json, 0, null);
    Tokenizer tokenizer = read(json);
    int space = 259;
    int hi = space + 13;
    int x = space + 14;
    int[] unknown = {space, space + 4, space + 15, space + 10, space + 5}; // " ", <, un, k, >
    int[] expected = {hi, unknown[0], unknown[1], unknown[2], unknown[3], unknown[4], x};
    assertArrayEquals(expected, tokenizer.encode("hi <unk> x"));
    assertArrayEquals(expected, tokenizer.encodeWithSpecial(tokenizer.escapeSpecial("hi <unk> x")));
    assertArrayEquals(
        new int[] {1, space + 12, unknown[1], unknown[2], unknown[3], unknown[4], 2, space + 12},
        tokenizer.encodeWithSpecial("<s>hi" + tokenizer.escapeSpecial("<unk>") + "</s>hi"));
    assertEquals("hi <unk> x", tokenizer.decode(expected));
    assertArrayEquals(new int[] {space + 12, 2}, tokenizer.encodeMoreWithSpecial("hi</s>"));
  }

  @Test
  void noMergesMakeASpecialToken() throws IOException {
    ObjectNode json = pieces("never");
    json.withArray("/model/merges").add("< s").add("<s >");
    json.withObject("/model/vocab").put("<s", 276);
    addTokens(json, 0, null);
    ((ObjectNode) json.at("/added_tokens/3")).put("id", 277);
    Tokenizer tokenizer = read(json);
    assertArrayEquals(new int[] {276, 259 + 5}, tokenizer.encode("<s>"));
    assertArrayEquals(new int[] {1}, tokenizer.encodeWithSpecial("<s>"));
  }

  private Tokenizer read(ObjectNode json) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), json.toString());
    return HuggingFaceTokenizer.read(folder);
  }

  @SuppressWarnings("unchecked")
  private static List<String> tokens(Map<String, Object> metadata) {
    return new ArrayList<>((List<String>) metadata.get("tokenizer.ggml.tokens"));
  }
}
