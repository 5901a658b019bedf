package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Byte-level tokens 0 to 255, then {@code <x>}, {@code <y>}: the latter in no list of added. */
class SpecialTokenFilesTest {
  private static final int X = 256;
  private static final int Y = 257;

  @TempDir private Path folder;

  @BeforeEach
  void writeTokenizer() throws IOException {
    List<String> tokens =
        IntStream.range(0, 258)
            .mapToObj(
                t ->
                    t < 256
                        ? String.valueOf(BytePairTokenizer.ByteAlphabet.character(t))
                        : t == X ? "<x>" : "<y>")
            .toList();
    ObjectNode json = HuggingFaceFolder.byteLevel(tokens, List.of());
    HuggingFaceFolder.addToken(json, X, "<x>", true);
    write("tokenizer.json", json.toString());
  }

  private void write(String file, String text) throws IOException {
    Files.writeString(folder.resolve(file), text);
  }

  private Tokenizer read() throws IOException {
    return HuggingFaceTokenizer.read(folder);
  }

  @Test
  void generationConfigCountsBeforeConfig() throws IOException {
    assertEquals(Set.of(), read().endTokens());
    write("config.json", "{\"eos_token_id\": 5}");
    assertEquals(Set.of(5), read().endTokens());
    assertEquals(-1, read().endToken(), "what a template writes is the tokenizer's own");
    write("config.json", "{\"eos_token_id\": [5, 6]}");
    assertEquals(Set.of(5, 6), read().endTokens());
    write("generation_config.json", "{\"eos_token_id\": null, \"temperature\": NaN}");
    assertEquals(Set.of(5, 6), read().endTokens());
    write("generation_config.json", "{\"eos_token_id\": [7, 8]}");
    assertEquals(Set.of(7, 8), read().endTokens());
    write("generation_config.json", "{\"eos_token_id\": 9}");
    assertEquals(Set.of(9), read().endTokens());
  }

  /** A chat's turns end with the tokenizer's token, whatever else ends a generation. */
  @Test
  void theTokenizersOwnEndTokenEndsToo() throws IOException {
    write("generation_config.json", "{\"eos_token_id\": 9}");
    write("tokenizer_config.json", "{\"eos_token\": \"<x>\"}");
    assertEquals(Set.of(9, X), read().endTokens());
    assertEquals(X, read().endToken());
  }

  /** Such as of a padded embedding: the model can give it, so it ends. */
  @Test
  void anEndTokenMayHaveNoText() throws IOException {
    write("generation_config.json", "{\"eos_token_id\": [300, -1, 1.5, \"2\"]}");
    assertEquals(Set.of(300), read().endTokens());
    assertEquals(-1, read().endToken());
  }

  @Test
  void theMapCountsBeforeAnOldTokenizerConfigAndAfterANewOne() throws IOException {
    write("special_tokens_map.json", "{\"eos_token\": {\"content\": \"<y>\"}}");
    assertEquals(Y, read().endToken());
    write("tokenizer_config.json", "{\"eos_token\": \"<x>\"}");
    assertEquals(Y, read().endToken());
    write("tokenizer_config.json", "{\"eos_token\": \"<x>\", \"added_tokens_decoder\": {}}");
    assertEquals(X, read().endToken());
    write("tokenizer_config.json", "{\"added_tokens_decoder\": {}}");
    assertEquals(Y, read().endToken());
  }

  @Test
  void tokensThatTheVocabularyLacksAreAdded() throws IOException {
    write(
        "tokenizer_config.json",
        """
        {"eos_token": "<|im_end|>", "added_tokens_decoder": {
          "259": {"content": "<tool>", "special": false, "normalized": false},
          "258": {"content": "<|im_end|>", "special": true},
          "256": {"content": "<x>", "special": true}}}
        """);
    Tokenizer tokenizer = read();
    assertEquals(260, tokenizer.vocabulary());
    assertEquals(258, tokenizer.endToken());
    assertEquals(Set.of(258), tokenizer.endTokens());
    assertArrayEquals(new int[] {'a', 258, 259}, tokenizer.encodeWithSpecial("a<|im_end|><tool>"));
    assertArrayEquals(new int[] {'a', 259}, tokenizer.encode("a<tool>"));
    assertEquals("a<tool>", tokenizer.decode('a', 258, 259));
  }

  /** The library takes a token that is there already for changed, and keeps it special. */
  @Test
  void whatIsSaidOfATokenLastCounts() throws IOException {
    write(
        "tokenizer_config.json",
        """
        {"added_tokens_decoder": {
          "256": {"content": "<x>", "special": false, "rstrip": true},
          "257": {"content": "<y>", "special": true, "lstrip": true}}}
        """);
    Tokenizer tokenizer = read();
    assertArrayEquals(new int[] {X, 'a'}, tokenizer.encodeWithSpecial("<x>  a"));
    assertArrayEquals(new int[] {'a', Y}, tokenizer.encodeWithSpecial("a  <y>"));
    assertEquals("a", tokenizer.decode('a', X, Y));
    write("tokenizer_config.json", "{\"added_tokens_decoder\": {}, \"eos_token\": \"<x>\"}");
    assertEquals(4, read().encodeWithSpecial("<x>  a").length);
  }

  /** As old folders have them. */
  @Test
  void tokensMayBeAddedByAFileOfTheirOwn() throws IOException {
    write("added_tokens.json", "{\"<b>\": 259, \"<a>\": 258}");
    write("special_tokens_map.json", "{\"additional_special_tokens\": [\"<a>\"]}");
    Tokenizer tokenizer = read();
    assertArrayEquals(new int[] {258, 259}, tokenizer.encodeWithSpecial("<a><b>"));
    assertEquals("<b>", tokenizer.decode(258, 259));
  }

  @Test
  void aTokenNamedByItsRoleIsSpecial() throws IOException {
    int[] text = read().encode("<y>");
    assertEquals(3, text.length);
    assertEquals(3, read().encodeWithSpecial("<y>").length);
    write("special_tokens_map.json", "{\"eos_token\": \"<y>\", \"pad_token\": \"<new>\"}");
    assertArrayEquals(new int[] {Y}, read().encodeWithSpecial("<y>"));
    assertArrayEquals(text, read().encode("<y>"));
    assertEquals(258, read().encodeWithSpecial("<new>")[0]);
  }

  @Test
  void whatIsNotJsonIsNamed() throws IOException {
    write("generation_config.json", "{");
    String message = assertThrows(IllegalArgumentException.class, this::read).getMessage();
    assertTrue(message.startsWith(folder.resolve("generation_config.json").toString()), message);
    Files.delete(folder.resolve("generation_config.json"));
    assertEquals(Optional.empty(), SpecialTokenFiles.read(folder).token("eos_token"));
  }
}
