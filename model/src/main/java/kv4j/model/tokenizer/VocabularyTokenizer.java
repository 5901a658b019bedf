package kv4j.model.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;
import kv4j.model.tokenizer.SpecialTokens.Special;
import kv4j.model.tokenizer.Vocabulary.Type;

/**
 * What the tokenizers over a {@link Vocabulary} share: user-defined tokens are found in any text,
 * control tokens only where they are allowed; the text between them is the subclass's.
 */
abstract class VocabularyTokenizer implements Tokenizer {
  private static final byte[] NOTHING = {};

  final Vocabulary vocabulary;
  private final SpecialTokens special;

  VocabularyTokenizer(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    List<Special> found = new ArrayList<>();
    tokens(EnumSet.of(Type.USER_DEFINED, Type.CONTROL, Type.UNKNOWN))
        .forEach(
            (text, token) -> {
              boolean control = vocabulary.type(token) != Type.USER_DEFINED;
              boolean strips = vocabulary.settings().stripping().contains(token);
              found.add(new Special(text, token, control, strips));
            });
    special = new SpecialTokens(found);
  }

  /**
   * Adds the ids of a text without special tokens.
   *
   * @param text well-formed Unicode, not empty
   */
  abstract void encodeText(String text, IntStream.Builder out);

  /** The bytes of a normal token. */
  abstract byte[] textBytes(int token);

  /** The token of a byte that is no text, or -1. */
  abstract int byteToken(int value);

  /** Ids by text of the tokens that encoding text may give; of equal texts the first counts. */
  final Map<String, Integer> textTokens() {
    return tokens(EnumSet.of(Type.NORMAL, Type.USER_DEFINED, Type.UNUSED));
  }

  @Override
  public final int vocabulary() {
    return vocabulary.tokens().size();
  }

  /** Ids of a text; an unpaired surrogate, which UTF-8 cannot say, becomes {@code ?}. */
  @Override
  public final int[] encode(String text) {
    IntStream.Builder out = IntStream.builder();
    encode(special.split(wellFormed(text)), true, out);
    return out.build().toArray();
  }

  @Override
  public final int[] encodeWithSpecial(String text) {
    return encodeWithSpecial(text, true);
  }

  @Override
  public final int[] encodeMoreWithSpecial(String text) {
    return encodeWithSpecial(text, false);
  }

  private int[] encodeWithSpecial(String text, boolean first) {
    IntStream.Builder out = IntStream.builder();
    encode(special.splitMarked(wellFormed(text)), first, out);
    return out.build().toArray();
  }

  @Override
  public final String escapeSpecial(String text) {
    return special.escape(text);
  }

  /** Ids of some bytes: what is UTF-8 in them as text, and a byte token for each other byte. */
  @Override
  public final int[] encode(byte[] bytes) {
    IntStream.Builder out = IntStream.builder();
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer text = CharBuffer.allocate(bytes.length + 1);
    while (in.hasRemaining()) {
      boolean first = in.position() == 0;
      CoderResult result = decoder.reset().decode(in, text.clear(), true);
      encode(special.split(text.flip().toString()), first, out);
      for (int i = 0; result.isError() && i < result.length(); i++) {
        addByte(Byte.toUnsignedInt(in.get()), out);
      }
    }
    return out.build().toArray();
  }

  private void encode(List<SpecialTokens.Part> parts, boolean first, IntStream.Builder out) {
    boolean spaced = first && addsSpace();
    for (SpecialTokens.Part part : parts) {
      if (part.token() >= 0) {
        out.add(part.token());
      } else {
        encodeText(spaced ? " " + part.text() : part.text(), out);
      }
      spaced = part.token() >= 0 && addsSpace();
    }
  }

  /** Adds the token of a byte, or else the unknown one; nothing where there is neither. */
  final void addByte(int value, IntStream.Builder out) {
    int token = byteToken(value);
    if (token >= 0) {
      out.add(token);
    } else if (vocabulary.settings().unknown() >= 0) {
      out.add(vocabulary.settings().unknown());
    }
  }

  /** The text of some ids; bytes that are not valid UTF-8 become U+FFFD. */
  @Override
  public final String decode(int... tokens) {
    String text = new String(decodeBytes(tokens), StandardCharsets.UTF_8);
    return addsSpace() && text.startsWith(" ") ? text.substring(1) : text;
  }

  @Override
  public final byte[] bytes(int token) {
    String text = name(token);
    return switch (vocabulary.type(token)) {
      case CONTROL, UNKNOWN -> NOTHING;
      case USER_DEFINED -> text.getBytes(StandardCharsets.UTF_8);
      case NORMAL, UNUSED, BYTE -> textBytes(token);
    };
  }

  @Override
  public final String name(int token) {
    if (token < 0 || token >= vocabulary()) {
      throw new IllegalArgumentException("there is no token " + token + " among " + vocabulary());
    }
    return vocabulary.tokens().get(token);
  }

  @Override
  public final int beginToken() {
    return vocabulary.settings().begin();
  }

  @Override
  public final int endToken() {
    return vocabulary.settings().end();
  }

  @Override
  public final Set<Integer> endTokens() {
    return vocabulary.settings().ends();
  }

  @Override
  public final boolean addsBegin() {
    return vocabulary.settings().addsBegin();
  }

  @Override
  public final boolean addsSpace() {
    return vocabulary.settings().addsSpace();
  }

  static String wellFormed(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
  }

  /** Ids by text of the tokens of some types; of equal texts the first counts. */
  final Map<String, Integer> tokens(Set<Type> types) {
    Map<String, Integer> tokens = new HashMap<>();
    for (int token = 0; token < vocabulary(); token++) {
      if (types.contains(vocabulary.type(token))) {
        tokens.putIfAbsent(vocabulary.tokens().get(token), token);
      }
    }
    return tokens;
  }
}
