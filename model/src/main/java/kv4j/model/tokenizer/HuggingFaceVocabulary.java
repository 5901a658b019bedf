package kv4j.model.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import kv4j.model.tokenizer.SpecialTokens.Special;

/** What a {@code tokenizer.json} says of its tokens: names, bytes, and which are special. */
final class HuggingFaceVocabulary {
  private static final int LARGEST = 1 << 22;
  private static final byte[] NOTHING = {};

  private final Map<String, Integer> ids = new HashMap<>();
  private final BitSet added = new BitSet();
  private final BitSet control = new BitSet();
  private final Map<String, Integer> controls = new LinkedHashMap<>();
  private final SpecialTokens special;

  /** Which nobody knows who types a text. */
  private final String secret = UUID.randomUUID().toString() + ':';

  private final String[] names;
  private final boolean byteLevel;
  private final String space;

  HuggingFaceVocabulary(JsonNode json) {
    String type = json.path("model").path("type").asText("BPE");
    if (!type.equals("BPE")) {
      throw new IllegalArgumentException("unsupported model '" + type + "'; supported is BPE");
    }
    JsonNode vocabulary = json.path("model").path("vocab");
    vocabulary.properties().forEach(entry -> put(entry.getKey(), entry.getValue()));
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
    special =
        new SpecialTokens(
            controls.entrySet().stream()
                .map(token -> new Special(token.getKey(), token.getValue(), true, false))
                .toList());
    names = new String[ids.values().stream().mapToInt(Integer::intValue).max().getAsInt() + 1];
    Arrays.fill(names, "");
    ids.forEach((text, id) -> names[id] = text);
    Decoder decoder = new Decoder();
    decoder.read(json.path("decoder"));
    byteLevel = decoder.byteLevel;
    space = decoder.space;
  }

  private int put(String text, JsonNode id) {
    if (!id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= LARGEST) {
      throw new IllegalArgumentException("token '" + text + "' has the id " + id);
    }
    ids.put(text, id.intValue());
    return id.intValue();
  }

  /** What a file says of how tokens become text. */
  private static final class Decoder {
    private static final String SPACE = "\u2581";

    private boolean byteLevel;
    private boolean known;
    private String space = SPACE;

    void read(JsonNode decoder) {
      readPart(decoder);
      if (!known) {
        throw unsupported(decoder);
      }
    }

    private void readPart(JsonNode part) {
      switch (part.path("type").asText()) {
        case "Sequence" -> part.path("decoders").forEach(this::readPart);
        case "ByteLevel" -> {
          byteLevel = true;
          known = true;
        }
        case "ByteFallback" -> known = true;
        case "Metaspace" -> {
          known = true;
          space = part.path("replacement").asText(SPACE);
        }
        case "Replace" -> {
          space = part.path("pattern").path("String").asText();
          if (space.isEmpty() || !part.path("content").asText().equals(" ")) {
            throw unsupported(part);
          }
        }
        case "Strip" -> { // the space before a text
          boolean oneSpace = part.path("content").asText().equals(" ");
          if (!oneSpace || part.path("start").asInt() > 1 || part.path("stop").asInt() > 0) {
            throw unsupported(part);
          }
        }
        case "Fuse" -> {} // texts are put together here anyway
        default -> throw unsupported(part);
      }
    }

    private static IllegalArgumentException unsupported(JsonNode decoder) {
      return new IllegalArgumentException(
          "unsupported decoder "
              + decoder
              + "; supported are ByteLevel, Metaspace, ByteFallback, and with them Fuse, Replace of"
              + " what stands for a space, Strip of the space before a text");
    }
  }

  /**
   * The same file in which no text says a special token: each has another name, by which {@link
   * #placeholder} puts it into a text, and takes no whitespace around it. No merges lead to one.
   */
  ObjectNode withoutSpecial(ObjectNode json) {
    ObjectNode plain = json.deepCopy();
    plain.putNull("post_processor");
    ObjectNode model = plain.withObject("/model");
    if (model.path("vocab") instanceof ObjectNode texts) {
      controls.forEach(
          (text, id) -> {
            JsonNode known = texts.remove(text);
            if (known != null) {
              texts.set(placeholder(id), known);
            }
          });
    }
    Integer unknown = controls.get(model.path("unk_token").asText());
    if (unknown != null) {
      model.put("unk_token", placeholder(unknown));
    }
    if (model.path("merges") instanceof ArrayNode merges) {
      for (Iterator<JsonNode> merge = merges.iterator(); merge.hasNext(); ) {
        if (isOfControl(merge.next())) {
          merge.remove();
        }
      }
    }
    for (JsonNode token : plain.path("added_tokens")) {
      Integer id = controls.get(token.path("content").asText());
      if (id != null && token instanceof ObjectNode renamed) {
        renamed.put("content", placeholder(id)).put("normalized", false);
        renamed.put("single_word", false).put("lstrip", false).put("rstrip", false);
      }
    }
    return plain;
  }

  private boolean isOfControl(JsonNode merge) {
    String[] pair =
        merge.isArray() && merge.size() == 2
            ? new String[] {merge.get(0).asText(), merge.get(1).asText()}
            : merge.asText().split(" ", 2);
    return pair.length == 2
        && (controls.containsKey(pair[0])
            || controls.containsKey(pair[1])
            || controls.containsKey(pair[0] + pair[1]));
  }

  /** What stands for a control token in a text for the tokenizer {@link #withoutSpecial}. */
  String placeholder(int token) {
    return "\uFDD1" + secret + token + "\uFDD1";
  }

  /** Ids of all control tokens. */
  Collection<Integer> controls() {
    return controls.values();
  }

  boolean isControl(int token) {
    return control.get(token);
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
        : name.replace(space, " ").getBytes(StandardCharsets.UTF_8);
  }
}
