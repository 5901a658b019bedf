package kv4j.model;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/** Turns text into token ids and back. */
public interface Tokenizer {
  /** Number of token ids; all ids are below it. */
  int vocabulary();

  /** Ids of a text, without begin or end token; special tokens in the text are text. */
  int[] encode(String text);

  /**
   * Ids of some bytes, by which they decode to the same bytes where the vocabulary has tokens for
   * single bytes; elsewhere what is not UTF-8 becomes U+FFFD.
   */
  default int[] encode(byte[] bytes) {
    return encode(new String(bytes, StandardCharsets.UTF_8));
  }

  /**
   * Ids of a text in which the special tokens' own texts (such as {@code <|im_end|>}) stand for
   * those tokens, the longest first; what {@link #escapeSpecial} has marked stays text. For text
   * that a chat template made, never for what a user typed.
   */
  default int[] encodeWithSpecial(String text) {
    return encode(text);
  }

  /**
   * As {@link #encodeWithSpecial}, for a text that goes on after other text: no space comes before
   * it that is not in it.
   */
  default int[] encodeMoreWithSpecial(String text) {
    return encodeWithSpecial(text);
  }

  /**
   * The text, with every special token's text in it marked so that {@link #encodeWithSpecial} takes
   * it for text: what a user typed, on its way into a template. The mark is a character that is not
   * whitespace, inside the special text, so that a template can still trim or split the text.
   */
  default String escapeSpecial(String text) {
    return text;
  }

  /** The text of some ids; begin and end tokens are left out. */
  String decode(int... tokens);

  /**
   * The bytes of one id amid a text; none for begin, end and other control tokens. The bytes of a
   * character may be spread over several ids.
   *
   * @throws IllegalArgumentException if the id is not of this vocabulary
   */
  default byte[] bytes(int token) {
    return decode(token).getBytes(StandardCharsets.UTF_8);
  }

  /** The bytes of some ids amid a text, in order. */
  default byte[] decodeBytes(int... tokens) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int token : tokens) {
      bytes.writeBytes(bytes(token));
    }
    return bytes.toByteArray();
  }

  /**
   * What the vocabulary calls an id: the text by which templates name a special token, such as
   * {@code <s>}.
   *
   * @throws IllegalArgumentException if the id is not of this vocabulary
   */
  default String name(int token) {
    return decode(token);
  }

  /** The id that begins a sequence, or -1. */
  int beginToken();

  /** The id that ends a sequence, or -1. */
  int endToken();

  /** All ids after which a generation stops: the end token, and those that end a turn of a chat. */
  default Set<Integer> endTokens() {
    return endToken() < 0 ? Set.of() : Set.of(endToken());
  }

  /** Whether a prompt without a template starts with the begin token. */
  default boolean addsBegin() {
    return beginToken() >= 0;
  }

  /**
   * Whether encoding puts a space before the text that decoding takes away again, as SentencePiece
   * vocabularies do.
   */
  default boolean addsSpace() {
    return false;
  }
}
