package kv4j.model.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import kv4j.model.tokenizer.PairMerger.Merge;
import kv4j.model.tokenizer.Vocabulary.Type;

/**
 * A byte-level vocabulary with ranked merges (Radford et al. 2019), as GPT-2, Llama 3, Qwen and
 * SmolLM have it: a text is cut into words, the bytes of a word are merged pair by pair, the
 * earliest merge of the list first.
 */
public final class BytePairTokenizer extends VocabularyTokenizer {
  private final PreTokenizer preTokenizer;
  private final Map<String, Integer> tokens;
  private final Map<Long, Merge> merges = new HashMap<>();
  private final int[] byteTokens = new int[256];

  /**
   * @throws IllegalArgumentException if a merge is no pair, or one of its pieces or its result is
   *     not a token
   */
  public BytePairTokenizer(Vocabulary vocabulary, PreTokenizer preTokenizer) {
    super(vocabulary);
    this.preTokenizer = preTokenizer;
    tokens = textTokens();
    for (int value = 0; value < byteTokens.length; value++) {
      byteTokens[value] = tokens.getOrDefault(String.valueOf(ByteAlphabet.character(value)), -1);
    }
    // Qwen's merges make </s>, a word of its texts that ends a generation for llama.cpp.
    Map<String, Integer> all = tokens(EnumSet.allOf(Type.class));
    for (int rank = 0; rank < vocabulary.merges().size(); rank++) {
      String merge = vocabulary.merges().get(rank);
      int space = merge.indexOf(' ', 1);
      if (space < 0 || space + 1 == merge.length()) {
        throw new IllegalArgumentException("merge " + rank + " '" + merge + "' is not a pair");
      }
      String left = merge.substring(0, space);
      String right = merge.substring(space + 1);
      merges.putIfAbsent(
          pair(piece(left, rank, all), piece(right, rank, all)),
          new Merge(rank, piece(left + right, rank, all)));
    }
  }

  private static int piece(String text, int rank, Map<String, Integer> tokens) {
    Integer token = tokens.get(text);
    if (token == null) {
      throw new IllegalArgumentException(
          "merge " + rank + " needs '" + text + "', which is not in the vocabulary");
    }
    return token;
  }

  private static long pair(int left, int right) {
    return (long) left << Integer.SIZE | Integer.toUnsignedLong(right);
  }

  @Override
  void encodeText(String text, IntStream.Builder out) {
    for (String word : preTokenizer.words(text)) {
      encodeWord(word.getBytes(StandardCharsets.UTF_8), out);
    }
  }

  private void encodeWord(byte[] word, IntStream.Builder out) {
    if (preTokenizer.takesWholeWords()) {
      Integer token = tokens.get(spell(word));
      if (token != null) {
        out.add(token);
        return;
      }
    }
    int[] symbols = new int[word.length];
    int[] bounds = new int[word.length + 1];
    for (int i = 0; i < word.length; i++) {
      symbols[i] = byteTokens[Byte.toUnsignedInt(word[i])];
      bounds[i + 1] = i + 1;
    }
    new PairMerger((left, right, from, to) -> merges.get(pair(left, right)), symbols, bounds)
        .run(
            (token, from, to) -> {
              if (token >= 0) {
                out.add(token);
              } else {
                addByte(Byte.toUnsignedInt(word[from]), out);
              }
            });
  }

  private static String spell(byte[] word) {
    StringBuilder spelt = new StringBuilder(word.length);
    for (byte value : word) {
      spelt.append(ByteAlphabet.character(Byte.toUnsignedInt(value)));
    }
    return spelt.toString();
  }

  @Override
  byte[] textBytes(int token) {
    return ByteAlphabet.bytes(name(token));
  }

  @Override
  int byteToken(int value) {
    return byteTokens[value];
  }

  /**
   * The characters by which byte-level vocabularies spell bytes (Radford et al. 2019): a printable
   * Latin-1 character stands for itself, and the others for U+0100 onwards in their order.
   */
  static final class ByteAlphabet {
    private static final char[] CHARACTERS = new char[256];
    private static final int[] BYTES = new int[256 + 256];

    static {
      Arrays.fill(BYTES, -1);
      char next = 256;
      for (int value = 0; value < 256; value++) {
        boolean printable =
            value >= '!' && value <= '~'
                || value >= '\u00A1' && value <= '\u00AC'
                || value >= '\u00AE';
        CHARACTERS[value] = printable ? (char) value : next++;
        BYTES[CHARACTERS[value]] = value;
      }
    }

    private ByteAlphabet() {}

    /** The character of a byte. */
    static char character(int value) {
      return CHARACTERS[value];
    }

    /** The bytes that a text spells; a character outside the alphabet is taken as UTF-8. */
    static byte[] bytes(String spelt) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(spelt.length());
      spelt
          .codePoints()
          .forEach(
              character -> {
                int value = character < BYTES.length ? BYTES[character] : -1;
                if (value >= 0) {
                  bytes.write(value);
                } else {
                  bytes.writeBytes(Character.toString(character).getBytes(StandardCharsets.UTF_8));
                }
              });
      return bytes.toByteArray();
    }
  }
}
