package kv4j.model.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** What a {@code tokenizer.json} says of its tokens: names, bytes, and which are special. */
final class HuggingFaceVocabulary {
  private static final int LARGEST = 1 << 22;
  private static final byte[] NOTHING = {};

  private final Map<String, Integer> ids = new HashMap<>();
  private final BitSet added = new BitSet();
  private final BitSet control = new BitSet();
  private final SpecialTokens special;
  private final String[] names;
  private final boolean byteLevel;

  HuggingFaceVocabulary(JsonNode json) {
    String type = json.path("model").path("type").asText("BPE");
    if (!type.equals("BPE")) {
      throw new IllegalArgumentException("unsupported model '" + type + "'; supported is BPE");
    }
    JsonNode vocabulary = json.path("model").path("vocab");
    vocabulary.properties().forEach(entry -> put(entry.getKey(), entry.getValue()));
    Map<String, Integer> controls = new HashMap<>();
    for (JsonNode token : json.path("added_tokens")) {
      String text = token.path("content").asText();
      int id = put(text, token.path("id"));
      added.set(id);
      if (token.path("special").asBoolean()) {
        control.set(id);
        controls.put(text, id);
      }
    }
    if (ids.isEmpty()) {
      throw new IllegalArgumentException("it has no vocabulary");
    }
    special = new SpecialTokens(controls);
    names = new String[ids.values().stream().mapToInt(Integer::intValue).max().getAsInt() + 1];
    Arrays.fill(names, "");
    ids.forEach((text, id) -> names[id] = text);
    Set<String> decoders = new HashSet<>();
    addTypes(json.path("decoder"), decoders);
    byteLevel = decoders.contains("ByteLevel");
    if (!byteLevel && !decoders.contains("ByteFallback") && !decoders.contains("Metaspace")) {
      throw new IllegalArgumentException(
          "unsupported decoder " + decoders + "; supported are ByteLevel, ByteFallback, Metaspace");
    }
  }

  private int put(String text, JsonNode id) {
    if (!id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= LARGEST) {
      throw new IllegalArgumentException("token '" + text + "' has the id " + id);
    }
    ids.put(text, id.intValue());
    return id.intValue();
  }

  private static void addTypes(JsonNode decoder, Set<String> types) {
    types.add(decoder.path("type").asText());
    for (JsonNode part : decoder.path("decoders")) {
      addTypes(part, types);
    }
  }

  /**
   * The same file without its special tokens. The library numbers added tokens by their order, so
   * one that is not in the model's own vocabulary leaves a placeholder that no text contains.
   */
  ObjectNode withoutSpecial(ObjectNode json) {
    ObjectNode plain = json.deepCopy();
    plain.putNull("post_processor");
    ArrayNode kept = plain.putArray("added_tokens");
    for (JsonNode token : json.path("added_tokens")) {
      if (!token.path("special").asBoolean()) {
        kept.add(token);
      } else if (!json.path("model").path("vocab").has(token.path("content").asText())) {
        ObjectNode placeholder = token.deepCopy();
        placeholder.put("content", "\uFDD1" + token.path("id") + "\uFDD1");
        placeholder.put("normalized", false);
        kept.add(placeholder);
      }
    }
    return plain;
  }

  int size() {
    return names.length;
  }

  SpecialTokens special() {
    return special;
  }

  /** The id of a token's text, or -1. */
  int idOf(String text) {
    return ids.getOrDefault(text, -1);
  }

  String name(int token) {
    if (token < 0 || token >= names.length) {
      throw new IllegalArgumentException("there is no token " + token + " among " + names.length);
    }
    return names[token];
  }

  byte[] bytes(int token) {
    String name = name(token);
    if (control.get(token)) {
      return NOTHING;
    }
    if (added.get(token)) {
      return name.getBytes(StandardCharsets.UTF_8);
    }
    if (byteLevel) {
      return BytePairTokenizer.ByteAlphabet.bytes(name);
    }
    int value = SentencePieceTokenizer.byteValue(name);
    return value >= 0
        ? new byte[] {(byte) value}
        : name.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8);
  }
}
