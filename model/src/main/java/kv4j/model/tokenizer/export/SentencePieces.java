package kv4j.model.tokenizer.export;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kv4j.model.tokenizer.Vocabulary.Type;

/**
 * Reads a SentencePiece vocabulary from a {@code tokenizer.json}. SentencePiece merges any two
 * adjacent pieces that make another piece, the best-scored first; the file has no scores, but lists
 * all such pairs in the order of the scores of what they make. This class turns that order back
 * into scores.
 */
final class SentencePieces {
  private static final String SPACE = "\u2581";

  private final JsonNode json;
  private final Map<String, Integer> ids;
  private final Type[] types;

  /**
   * @param types of all tokens; those of bytes and of the unknown token are set
   * @throws IllegalArgumentException if the vocabulary does not work as SentencePiece's do
   */
  SentencePieces(JsonNode json, Map<String, Integer> ids, Type[] types) {
    this.json = json;
    this.ids = ids;
    this.types = types;
    JsonNode model = json.path("model");
    if (!model.path("byte_fallback").asBoolean() || json.path("pre_tokenizer").isObject()) {
      throw new IllegalArgumentException("it is neither byte-level nor as SentencePiece's are");
    }
    if (model.path("ignore_merges").asBoolean()) {
      throw new IllegalArgumentException("it takes whole texts for tokens");
    }
    for (int value = 0; value < 256; value++) {
      Integer id = ids.get(String.format("<0x%02X>", value));
      if (id == null) {
        throw new IllegalArgumentException("it has no token for byte " + value);
      }
      types[id] = Type.BYTE;
    }
    Integer unknown = ids.get(model.path("unk_token").textValue());
    if (unknown != null) {
      types[unknown] = Type.UNKNOWN;
    }
  }

  /**
   * Whether a space goes before a text.
   *
   * @throws IllegalArgumentException if texts are changed in another way than SentencePiece does
   */
  boolean addsSpace() {
    JsonNode normalizer = json.path("normalizer");
    List<JsonNode> steps = new ArrayList<>();
    if (normalizer.path("type").asText().equals("Sequence")) {
      normalizer.path("normalizers").forEach(steps::add);
    } else {
      steps.add(normalizer);
    }
    boolean prepends =
        steps.get(0).path("type").asText().equals("Prepend")
            && steps.get(0).path("prepend").asText().equals(SPACE);
    JsonNode last = steps.get(steps.size() - 1);
    boolean replaces =
        last.path("type").asText().equals("Replace")
            && last.path("pattern").path("String").asText().equals(" ")
            && last.path("content").asText().equals(SPACE);
    if (!replaces || steps.size() != (prepends ? 2 : 1)) {
      throw new IllegalArgumentException("it changes texts in another way than SentencePiece's do");
    }
    return prepends;
  }

  /**
   * Scores of all tokens: less for what a later merge makes.
   *
   * @throws IllegalArgumentException if the merges are not all pairs of pieces in such an order
   */
  List<Float> scores(List<String[]> merges) {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    Set<String> pairs = new HashSet<>();
    String before = "";
    for (String[] pair : merges) {
      String piece = pair[0] + pair[1];
      if (!piece.equals(before) && ranks.put(piece, ranks.size()) != null) {
        throw notInOrder(piece);
      }
      before = piece;
      pairs.add(pair[0] + " " + pair[1]);
    }
    List<Float> scores = new ArrayList<>(Collections.nCopies(types.length, 0f));
    ids.forEach(
        (piece, id) -> {
          if (types[id] == Type.NORMAL) {
            for (int at = 1; at < piece.length(); at++) {
              requireListed(piece.substring(0, at), piece.substring(at), pairs);
            }
            scores.set(id, (float) -ranks.getOrDefault(piece, ranks.size()));
          }
        });
    return scores;
  }

  private void requireListed(String left, String right, Set<String> pairs) {
    if (isPiece(left) && isPiece(right) && !pairs.contains(left + " " + right)) {
      throw notInOrder(left + right);
    }
  }

  private boolean isPiece(String text) {
    Integer id = ids.get(text);
    return id != null && types[id] == Type.NORMAL;
  }

  private static IllegalArgumentException notInOrder(String piece) {
    return new IllegalArgumentException(
        "its merges for '" + piece + "' are not all that SentencePiece would make, in its order");
  }
}
