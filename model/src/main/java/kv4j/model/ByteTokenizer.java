package kv4j.model;

import java.nio.charset.StandardCharsets;

/**
 * One token per UTF-8 byte: ids 0 to 255 are the bytes, 256 begins a sequence and 257 ends it.
 * Needs no training and loses nothing.
 */
public final class ByteTokenizer implements Tokenizer {
  private static final int BYTES = 256;
  private static final int BEGIN = BYTES;
  private static final int END = BYTES + 1;

  /** Number of ids of every byte tokenizer. */
  public static final int VOCABULARY = BYTES + 2;

  @Override
  public int vocabulary() {
    return VOCABULARY;
  }

  /**
   * Ids of the text's UTF-8 bytes; an unpaired surrogate, which UTF-8 cannot say, becomes {@code
   * ?}.
   */
  @Override
  public int[] encode(String text) {
    return encode(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Ids of some bytes. */
  @Override
  public int[] encode(byte[] bytes) {
    int[] tokens = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      tokens[i] = Byte.toUnsignedInt(bytes[i]);
    }
    return tokens;
  }

  /** The text of some ids; bytes that are not valid UTF-8 become U+FFFD. */
  @Override
  public String decode(int... tokens) {
    return new String(decodeBytes(tokens), StandardCharsets.UTF_8);
  }

  @Override
  public byte[] bytes(int token) {
    if (token < 0 || token >= VOCABULARY) {
      throw new IllegalArgumentException("there is no token " + token + " among " + VOCABULARY);
    }
    return token < BYTES ? new byte[] {(byte) token} : new byte[0];
  }

  @Override
  public int beginToken() {
    return BEGIN;
  }

  @Override
  public int endToken() {
    return END;
  }
}
