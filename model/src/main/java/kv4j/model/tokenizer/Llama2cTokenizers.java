package kv4j.model.tokenizer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import kv4j.model.Tokenizer;
import kv4j.model.tokenizer.Vocabulary.Type;

/**
 * Reads llama2.c's {@code tokenizer.bin}: the length of the longest token, then for each token its
 * score (float), its length in bytes and its text, all little-endian. Tokens 0 to 2 are the unknown
 * one, begin and end; the 256 byte tokens are named {@code <0x00>} to {@code <0xFF>}.
 */
public final class Llama2cTokenizers {
  private static final int UNKNOWN = 0;
  private static final int BEGIN = 1;
  private static final int END = 2;
  private static final long LARGEST_FILE = 1 << 28;

  private Llama2cTokenizers() {}

  /**
   * Reads a file.
   *
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException if it is not such a file
   */
  public static Tokenizer read(Path file) throws IOException {
    if (Files.size(file) > LARGEST_FILE) {
      throw new IllegalArgumentException(file + " is too large for a vocabulary");
    }
    try {
      return parse(Files.readAllBytes(file));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          file + " is not a llama2.c vocabulary: " + e.getMessage(), e);
    }
  }

  static Tokenizer parse(byte[] file) {
    ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    List<String> tokens = new ArrayList<>();
    List<Float> scores = new ArrayList<>();
    if (in.remaining() < Integer.BYTES) {
      throw new IllegalArgumentException("it is empty");
    }
    int longest = in.getInt();
    while (in.hasRemaining()) {
      if (in.remaining() < Float.BYTES + Integer.BYTES) {
        throw new IllegalArgumentException("it ends within token " + tokens.size());
      }
      scores.add(in.getFloat());
      int length = in.getInt();
      if (length < 0 || length > longest || length > in.remaining()) {
        throw new IllegalArgumentException(
            "token " + tokens.size() + " has a length of " + length + " bytes");
      }
      tokens.add(new String(in.array(), in.position(), length, StandardCharsets.UTF_8));
      in.position(in.position() + length);
    }
    if (tokens.size() <= END) {
      throw new IllegalArgumentException("it has " + tokens.size() + " tokens");
    }
    return new SentencePieceTokenizer(vocabulary(tokens, scores));
  }

  private static Vocabulary vocabulary(List<String> tokens, List<Float> scores) {
    List<Type> types = new ArrayList<>(Collections.nCopies(tokens.size(), Type.NORMAL));
    for (int token = 0; token < tokens.size(); token++) {
      if (SentencePieceTokenizer.byteValue(tokens.get(token)) >= 0) {
        types.set(token, Type.BYTE);
      }
      tokens.set(token, tokens.get(token).replace(' ', '\u2581'));
    }
    types.set(UNKNOWN, Type.UNKNOWN);
    types.set(BEGIN, Type.CONTROL);
    types.set(END, Type.CONTROL);
    // The file frames these two with line ends, so that they show when printed.
    tokens.set(BEGIN, tokens.get(BEGIN).strip());
    tokens.set(END, tokens.get(END).strip());
    Vocabulary.Settings settings =
        new Vocabulary.Settings(BEGIN, END, UNKNOWN, Set.of(END), true, true);
    return new Vocabulary(tokens, scores, types, List.of(), settings);
  }
}
