package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.model.Tokenizer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * A real {@code tokenizer.json} through kv4j's own tokenizers of GGUF files, against the library
 * that such files are made for. Runs only when named: {@code -Dtest=TokenizerCheck
 * -Dtokenizer.folder=FOLDER}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TokenizerCheck {
  private static final int CASES = Integer.getInteger("tokenizer.cases", 50_000);
  private static final long SEED = Long.getLong("tokenizer.seed", 20);

  /** A text in which each c stands for the character to be tried. */
  private static final String BESIDE = "c\\uc c1c!c's\ncc'cx'cex'clx'lcx'Rc\rc\t\tc";

  private Tokenizer own;
  private Tokenizer library;
  private boolean composes;
  private List<String> texts;

  @BeforeAll
  void read() throws IOException {
    String name = System.getProperty("tokenizer.folder");
    Path folder = Path.of(Objects.requireNonNull(name, "-Dtokenizer.folder=FOLDER is missing"));
    JsonNode json = new ObjectMapper().readTree(folder.resolve("tokenizer.json").toFile());
    own = GgufTokenizers.from(TokenizerJson.metadata(json));
    library = HuggingFaceTokenizer.read(folder);
    composes = TokenizerJson.composes(json);
    texts = texts();
  }

  private List<String> texts() throws IOException {
    List<String> texts = new ArrayList<>();
    Path project = Path.of("").toAbsolutePath().getParent();
    try (Stream<Path> files = Files.walk(project)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".java")).sorted().toList()) {
        texts.add(Files.readString(file));
      }
    }
    for (String name : List.of("gpt-2", "llama-spm")) {
      Path file = SharedFiles.path("tokenizers/ggml-vocab-" + name + ".gguf.inp");
      if (Files.exists(file)) {
        texts.addAll(List.of(Files.readString(file).split("\n__ggml_vocab_test__\n", -1)));
      }
    }
    RandomTexts random = new RandomTexts(new Random(SEED));
    for (int i = 0; i < CASES; i++) {
      texts.add(random.next());
    }
    return texts;
  }

  @Test
  void givesTheSameIds() {
    List<String> differing = new ArrayList<>();
    for (String text : texts) {
      int[] expected = library.encode(normalized(text));
      if (!Arrays.equals(expected, own.encode(normalized(text)))) {
        differing.add(escaped(text));
      }
    }
    assertEquals(List.of(), differing, "of " + texts.size() + " texts, seed " + SEED);
  }

  /** Beside letters, spaces, digits, signs and apostrophes, which show what it is taken for. */
  @Test
  void takesEveryCharacterForTheSame() {
    List<String> differing = new ArrayList<>();
    IntStream.rangeClosed(1, Character.MAX_CODE_POINT)
        .filter(character -> Character.getType(character) != Character.SURROGATE)
        .filter(Character::isDefined)
        .mapToObj(Character::toString)
        .filter(
            c -> {
              String text = normalized(BESIDE.replace("c", c));
              return !Arrays.equals(library.encode(text), own.encode(text));
            })
        .forEach(c -> differing.add(escaped(c)));
    assertEquals(List.of(), differing);
  }

  @Test
  void losesNothing() {
    for (String text : texts) {
      int[] ids = own.encode(text);
      assertEquals(text, own.decode(ids));
      assertEquals(text, library.decode(ids));
      String space = own.addsSpace() && !text.isEmpty() ? " " : "";
      assertEquals(space + text, RoundTrips.stream(own, ids));
    }
  }

  @Test
  void specialTokensAreTextUnlessAllowed() {
    for (int token = 0; token < own.vocabulary(); token++) {
      if (own.bytes(token).length == 0) {
        String text = "a " + own.name(token) + " b" + own.name(token);
        assertEquals(text, own.decode(own.encode(text)));
        assertEquals(0, count(own.encode(text), token), text);
        assertEquals(2, count(own.encodeWithSpecial(text), token), text);
        assertArrayEquals(own.encode(text), own.encodeWithSpecial(own.escapeSpecial(text)));
        assertArrayEquals(library.encode(text), own.encode(text), text);
        assertArrayEquals(library.encodeWithSpecial(text), own.encodeWithSpecial(text), text);
      }
    }
  }

  private static long count(int[] ids, int token) {
    return IntStream.of(ids).filter(id -> id == token).count();
  }

  /** As the file wants texts; GGUF files cannot say it, and nothing that reads them does it. */
  private String normalized(String text) {
    return composes ? Normalizer.normalize(text, Normalizer.Form.NFC) : text;
  }

  private static String escaped(String text) {
    return text.codePoints()
        .mapToObj(c -> c >= ' ' && c <= '~' ? Character.toString(c) : String.format("{%04X}", c))
        .collect(Collectors.joining());
  }
}
