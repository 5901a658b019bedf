package kv4j.model.tokenizer;

import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * A tokenizer's vocabulary as plain data, the way GGUF files state it; the index in the lists is
 * the token id.
 *
 * @param tokens each token's text, as the vocabulary spells it
 * @param scores each token's score, higher is merged sooner; empty if the vocabulary has merges
 * @param types each token's type; empty if all are normal
 * @param merges pairs of texts separated by a space, the first is merged first; empty if the
 *     vocabulary has scores
 * @param settings which ids have a part to play
 */
public record Vocabulary(
    List<String> tokens,
    List<Float> scores,
    List<Type> types,
    List<String> merges,
    Settings settings) {

  /** What a token is; GGUF numbers them from 1 in this order. */
  public enum Type {
    NORMAL,
    UNKNOWN,
    CONTROL,
    USER_DEFINED,
    UNUSED,
    BYTE
  }

  /**
   * @param begin id that begins a sequence, or -1
   * @param end id that ends a sequence, or -1
   * @param unknown id of what the vocabulary cannot say, or -1
   * @param ends ids after which a generation stops, {@code end} among them
   * @param addsBegin whether a prompt without a template starts with the begin token
   * @param addsSpace whether encoding puts a space before a text
   * @param stripping ids of special tokens that take the whitespace after them
   */
  public record Settings(
      int begin,
      int end,
      int unknown,
      Set<Integer> ends,
      boolean addsBegin,
      boolean addsSpace,
      Set<Integer> stripping) {
    /** Of a vocabulary whose tokens leave the whitespace around them. */
    public Settings(
        int begin, int end, int unknown, Set<Integer> ends, boolean addsBegin, boolean addsSpace) {
      this(begin, end, unknown, ends, addsBegin, addsSpace, Set.of());
    }

    /** Copies the sets. */
    public Settings {
      ends = Set.copyOf(ends);
      stripping = Set.copyOf(stripping);
      if (addsBegin && begin < 0) {
        throw new IllegalArgumentException("the vocabulary adds a begin token but has none");
      }
    }
  }

  /**
   * Checks sizes and ids.
   *
   * @throws IllegalArgumentException if a list has another size than {@code tokens}, a score is no
   *     number, or an id lies outside
   */
  public Vocabulary {
    tokens = List.copyOf(tokens);
    scores = List.copyOf(scores);
    types = List.copyOf(types);
    merges = List.copyOf(merges);
    Objects.requireNonNull(settings);
    if (tokens.isEmpty()) {
      throw new IllegalArgumentException("the vocabulary has no tokens");
    }
    checkSize("scores", scores, tokens);
    checkSize("types", types, tokens);
    for (int token = 0; token < scores.size(); token++) {
      if (scores.get(token).isNaN()) {
        throw new IllegalArgumentException("the score of token " + token + " is not a number");
      }
    }
    checkId("begin", settings.begin, tokens);
    checkId("end", settings.end, tokens);
    checkId("unknown", settings.unknown, tokens);
    for (int token : settings.ends) {
      checkId("end", token, tokens);
    }
  }

  /** Type of a token. */
  Type type(int token) {
    return types.isEmpty() ? Type.NORMAL : types.get(token);
  }

  private static void checkSize(String what, List<?> list, List<String> tokens) {
    if (!list.isEmpty() && list.size() != tokens.size()) {
      throw new IllegalArgumentException(
          "the vocabulary has " + tokens.size() + " tokens but " + list.size() + " " + what);
    }
  }

  private static void checkId(String what, int id, List<String> tokens) {
    if (id < -1 || id >= tokens.size()) {
      throw new IllegalArgumentException(
          "the " + what + " token " + id + " is not among the vocabulary's " + tokens.size());
    }
  }
}
