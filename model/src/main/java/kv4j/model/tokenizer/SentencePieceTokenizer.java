package kv4j.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.IntStream;
import kv4j.model.tokenizer.PairMerger.Merge;
import kv4j.model.tokenizer.Vocabulary.Type;

/**
 * A vocabulary of pieces with scores, as Llama 2, Mistral and TinyLlama have it: adjacent pieces
 * are merged into the best-scored one there is (Kudo and Richardson 2018, the BPE model), spaces
 * are U+2581 in it, and characters it lacks are spelt in byte tokens named {@code <0x0A>}.
 */
public final class SentencePieceTokenizer extends VocabularyTokenizer {
  private static final char SPACE = '\u2581';

  private final Map<String, Merge> pieces = new HashMap<>();
  private final int[] byteTokens = new int[256];

  /**
   * @throws IllegalArgumentException if the vocabulary has no scores, or neither all byte tokens
   *     nor an unknown token
   */
  public SentencePieceTokenizer(Vocabulary vocabulary) {
    super(vocabulary);
    if (vocabulary.scores().isEmpty()) {
      throw new IllegalArgumentException("a SentencePiece vocabulary needs scores");
    }
    textTokens()
        .forEach(
            (text, token) -> pieces.put(text, new Merge(-vocabulary.scores().get(token), token)));
    Arrays.fill(byteTokens, -1);
    for (int token = 0; token < vocabulary(); token++) {
      if (vocabulary.type(token) == Type.BYTE) {
        byteTokens[byteValue(token)] = token;
      }
    }
    if (vocabulary.settings().unknown() < 0) {
      for (int value = 0; value < byteTokens.length; value++) {
        if (byteTokens[value] < 0) {
          throw new IllegalArgumentException(
              "the vocabulary has neither an unknown token nor one for byte " + value);
        }
      }
    }
  }

  @Override
  void encodeText(String text, IntStream.Builder out) {
    String spaced = text.replace(' ', SPACE);
    int symbols = spaced.codePointCount(0, spaced.length());
    int[] tokens = new int[symbols];
    int[] bounds = new int[symbols + 1];
    for (int i = 0; i < symbols; i++) {
      bounds[i + 1] = spaced.offsetByCodePoints(bounds[i], 1);
      Merge piece = pieces.get(spaced.substring(bounds[i], bounds[i + 1]));
      tokens[i] = piece == null ? -1 : piece.token();
    }
    new PairMerger(
            (left, right, from, to) -> pieces.get(spaced.substring(from, to)), tokens, bounds)
        .run((token, from, to) -> add(token, spaced.substring(from, to), out));
  }

  private void add(int token, String symbol, IntStream.Builder out) {
    if (token >= 0) {
      out.add(token);
      return;
    }
    byte[] bytes = symbol.getBytes(StandardCharsets.UTF_8);
    boolean spelt = true;
    for (byte value : bytes) {
      spelt &= byteTokens[Byte.toUnsignedInt(value)] >= 0;
    }
    if (spelt) {
      for (byte value : bytes) {
        out.add(byteTokens[Byte.toUnsignedInt(value)]);
      }
    } else {
      out.add(vocabulary.settings().unknown());
    }
  }

  @Override
  byte[] textBytes(int token) {
    return vocabulary.type(token) == Type.BYTE
        ? new byte[] {(byte) byteValue(token)}
        : name(token).replace(SPACE, ' ').getBytes(StandardCharsets.UTF_8);
  }

  @Override
  int byteToken(int value) {
    return byteTokens[value];
  }

  private int byteValue(int token) {
    int value = byteValue(name(token));
    if (value < 0) {
      throw new IllegalArgumentException(
          "byte token " + token + " is named '" + name(token) + "' instead of <0x00> to <0xFF>");
    }
    return value;
  }

  /** The byte that a name like {@code <0x0A>} means, or -1. */
  static int byteValue(String name) {
    boolean isByte =
        name.length() == 6
            && name.startsWith("<0x")
            && name.endsWith(">")
            && HexFormat.isHexDigit(name.charAt(3))
            && HexFormat.isHexDigit(name.charAt(4));
    return isByte ? HexFormat.fromHexDigits(name, 3, 5) : -1;
  }
}
