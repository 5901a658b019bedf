package kv4j.model.tokenizer;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import kv4j.model.Tokenizer;

/**
 * The {@code tokenizer.json} of a Hugging Face folder, run by DJL's binding of their tokenizers
 * library. The files beside it name the begin and end tokens, and more tokens: {@link
 * SpecialTokenFiles}.
 *
 * <p>The library finds special tokens in every text. Text as such therefore goes through a second
 * instance in which they have names that no text contains.
 */
public final class HuggingFaceTokenizer implements Tokenizer {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final Map<String, String> WHOLE_TEXTS =
      Map.of("truncation", "DO_NOT_TRUNCATE", "padding", "DO_NOT_PAD");

  static {
    // The native library lies in DJL's jar for the processor alone; for a GPU it would be fetched.
    setUnlessSet("RUST_FLAVOR", "cpu");
    // DJL reports its use to its makers unless told otherwise.
    setUnlessSet("OPT_OUT_TRACKING", "true");
  }

  private final HuggingFaceVocabulary vocabulary;
  private final ai.djl.huggingface.tokenizers.HuggingFaceTokenizer whole;
  private final ai.djl.huggingface.tokenizers.HuggingFaceTokenizer plain;
  private final int begin;
  private final int end;
  private final Set<Integer> ends;
  private final boolean addsBegin;
  private final boolean addsSpace;

  private HuggingFaceTokenizer(ObjectNode json, SpecialTokenFiles files) {
    files.addTokens(json);
    vocabulary = new HuggingFaceVocabulary(json);
    json.putNull("truncation");
    json.putNull("padding");
    whole = start(json);
    plain = start(vocabulary.withoutSpecial(json));
    free(this, whole, plain);
    requireIds();
    begin = files.token("bos_token").map(vocabulary::idOf).orElse(-1);
    end = files.token("eos_token").map(vocabulary::idOf).orElse(-1);
    Set<Integer> all = new HashSet<>(files.generationEnds());
    all.add(end);
    all.remove(-1);
    ends = Set.copyOf(all);
    addsBegin = begin >= 0 && files.addsBegin().orElseGet(this::framesWithBegin);
    byte[] letter = decodeBytes(encode("a"));
    addsSpace = letter.length > 0 && letter[0] == ' ';
  }

  /**
   * Reads a folder.
   *
   * @throws IOException if a file cannot be read
   * @throws IllegalArgumentException if there is no {@code tokenizer.json}, nor the files of {@link
   *     BytePairFiles}, or one that is malformed or of a kind that is not supported
   */
  public static HuggingFaceTokenizer read(Path folder) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    JsonNode json =
        Files.isRegularFile(file)
            ? SpecialTokenFiles.json(file)
            : BytePairFiles.read(folder)
                .orElseThrow(
                    () ->
                        new IllegalArgumentException(
                            "there is no " + file + ", nor vocab.json with merges.txt"));
    SpecialTokenFiles files = SpecialTokenFiles.read(folder);
    if (!json.isObject()) {
      throw new IllegalArgumentException(file + " is not a JSON object");
    }
    try {
      return new HuggingFaceTokenizer((ObjectNode) json, files);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  /** Whether the library's own frame around a text starts with the begin token. */
  private boolean framesWithBegin() {
    long[] frame = whole.encode("", true, false).getIds();
    return frame.length > 0 && frame[0] == begin;
  }

  private static ai.djl.huggingface.tokenizers.HuggingFaceTokenizer start(ObjectNode json) {
    byte[] bytes = json.toString().getBytes(StandardCharsets.UTF_8);
    try {
      return ai.djl.huggingface.tokenizers.HuggingFaceTokenizer.newInstance(
          new ByteArrayInputStream(bytes), WHOLE_TEXTS);
    } catch (IOException | RuntimeException e) {
      throw new IllegalArgumentException("not a tokenizer: " + e.getMessage(), e);
    }
  }

  /** Frees native memory when its owner is gone; static, so as not to hold the owner. */
  private static void free(
      Object owner, ai.djl.huggingface.tokenizers.HuggingFaceTokenizer... all) {
    CLEANER.register(
        owner,
        () ->
            Arrays.stream(all).forEach(ai.djl.huggingface.tokenizers.HuggingFaceTokenizer::close));
  }

  private static void setUnlessSet(String property, String value) {
    if (System.getenv(property) == null && System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  @Override
  public int vocabulary() {
    return vocabulary.size();
  }

  /** Ids of a text; an unpaired surrogate, which UTF-8 cannot say, becomes {@code ?}. */
  @Override
  public int[] encode(String text) {
    return encode(plain, text);
  }

  @Override
  public int[] encodeWithSpecial(String text) {
    return SpecialTokens.isMarked(text)
        ? encode(plain, withPlaceholders(VocabularyTokenizer.wellFormed(text)))
        : encode(whole, text);
  }

  /** A text after a special token is not the first; what a file puts before every text, stays. */
  @Override
  public int[] encodeMoreWithSpecial(String text) {
    if (text.isEmpty() || vocabulary.controls().isEmpty()) {
      return encodeWithSpecial(text);
    }
    String before = vocabulary.placeholder(vocabulary.controls().iterator().next());
    int[] ids = encode(plain, before + withPlaceholders(VocabularyTokenizer.wellFormed(text)));
    return Arrays.copyOfRange(ids, 1, ids.length);
  }

  /**
   * The text without marks, with placeholders where the library finds special tokens. What is
   * marked is thus encoded amid the text that it stands in, as any other text.
   */
  private String withPlaceholders(String marked) {
    Encoding found = whole.encode(marked, false, false);
    StringBuilder text = new StringBuilder();
    int from = 0;
    int characters = 0;
    for (int i = 0; i < found.getIds().length; i++) {
      int token = Math.toIntExact(found.getIds()[i]);
      CharSpan span = found.getCharTokenSpans()[i];
      if (!vocabulary.isControl(token) || span == null || span.getStart() < characters) {
        continue;
      }
      int begin = marked.offsetByCodePoints(from, span.getStart() - characters);
      int end = marked.offsetByCodePoints(begin, span.getEnd() - span.getStart());
      // A character that the vocabulary lacks becomes the unknown token, too.
      if (marked.substring(begin, end).contains(vocabulary.name(token))) {
        text.append(vocabulary.special().unescape(marked.substring(from, begin)));
        text.append(vocabulary.placeholder(token));
        from = end;
        characters = span.getEnd();
      }
    }
    return text.append(vocabulary.special().unescape(marked.substring(from))).toString();
  }

  /** The library numbers tokens that its model lacks by their order, whatever the file says. */
  private void requireIds() {
    int[] expected = vocabulary.controls().stream().mapToInt(Integer::intValue).toArray();
    String all =
        vocabulary.controls().stream().map(vocabulary::placeholder).collect(Collectors.joining());
    int[] actual = encode(plain, all);
    for (int i = 0; i < expected.length; i++) {
      if (i >= actual.length || actual[i] != expected[i]) {
        throw new IllegalArgumentException(
            "its added token '"
                + vocabulary.name(expected[i])
                + "' has the id "
                + expected[i]
                + ", which is not the next one");
      }
    }
  }

  private static int[] encode(
      ai.djl.huggingface.tokenizers.HuggingFaceTokenizer tokenizer, String text) {
    String wellFormed = VocabularyTokenizer.wellFormed(text);
    return Arrays.stream(tokenizer.encode(wellFormed, false, false).getIds())
        .mapToInt(Math::toIntExact)
        .toArray();
  }

  @Override
  public String escapeSpecial(String text) {
    return vocabulary.special().escape(text);
  }

  /** The text of some ids; bytes that are not valid UTF-8 become U+FFFD. */
  @Override
  public String decode(int... tokens) {
    String text = new String(decodeBytes(tokens), StandardCharsets.UTF_8);
    return addsSpace && text.startsWith(" ") ? text.substring(1) : text;
  }

  @Override
  public byte[] bytes(int token) {
    return vocabulary.bytes(token);
  }

  @Override
  public String name(int token) {
    return vocabulary.name(token);
  }

  @Override
  public int beginToken() {
    return begin;
  }

  @Override
  public int endToken() {
    return end;
  }

  @Override
  public Set<Integer> endTokens() {
    return ends;
  }

  @Override
  public boolean addsBegin() {
    return addsBegin;
  }

  @Override
  public boolean addsSpace() {
    return addsSpace;
  }
}
