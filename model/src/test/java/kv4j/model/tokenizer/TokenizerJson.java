package kv4j.model.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The GGUF metadata of a {@code tokenizer.json}, as converters write it: added tokens are control
 * tokens if special and user-defined otherwise, and a vocabulary with byte fallback is
 * SentencePiece's, whose pieces score as early as a merge makes them.
 */
final class TokenizerJson {
  private final JsonNode json;
  private final List<String> tokens;
  private final List<Integer> types;

  private TokenizerJson(JsonNode json) {
    this.json = json;
    Map<Integer, String> names = new HashMap<>();
    json.at("/model/vocab")
        .properties()
        .forEach(entry -> names.put(entry.getValue().intValue(), entry.getKey()));
    json.path("added_tokens")
        .forEach(token -> names.put(token.path("id").intValue(), token.path("content").asText()));
    int size = Collections.max(names.keySet()) + 1;
    tokens = new ArrayList<>();
    types = new ArrayList<>();
    for (int id = 0; id < size; id++) {
      tokens.add(names.getOrDefault(id, "[PAD" + id + "]"));
      types.add(names.containsKey(id) ? 1 : 5);
    }
    for (JsonNode token : json.path("added_tokens")) {
      types.set(token.path("id").intValue(), token.path("special").asBoolean() ? 3 : 4);
    }
  }

  static Map<String, Object> metadata(JsonNode json) {
    TokenizerJson file = new TokenizerJson(json);
    return file.isSentencePiece() ? file.sentencePiece() : file.byteLevel();
  }

  private boolean isSentencePiece() {
    return json.at("/model/byte_fallback").asBoolean();
  }

  private Map<String, Object> sentencePiece() {
    int unknown = tokens.indexOf(json.at("/model/unk_token").asText());
    Map<String, Integer> ranks = new HashMap<>();
    for (String merge : merges()) {
      ranks.putIfAbsent(merge.replace(" ", ""), ranks.size());
    }
    List<Float> scores = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      scores.add((float) -ranks.getOrDefault(tokens.get(id), ranks.size()));
      if (SentencePieceTokenizer.byteValue(tokens.get(id)) >= 0) {
        types.set(id, 6);
      }
    }
    types.set(unknown, 2);
    Map<String, Object> metadata = metadata("llama");
    metadata.put("tokenizer.ggml.scores", scores);
    metadata.put("tokenizer.ggml.unknown_token_id", unknown);
    return metadata;
  }

  private Map<String, Object> byteLevel() {
    Map<String, Object> metadata = metadata("gpt2");
    metadata.put("tokenizer.ggml.merges", merges());
    metadata.put("tokenizer.ggml.pre", preTokenizer());
    return metadata;
  }

  private List<String> merges() {
    List<String> merges = new ArrayList<>();
    for (JsonNode merge : json.at("/model/merges")) {
      boolean pair = merge.isArray();
      merges.add(pair ? merge.get(0).asText() + " " + merge.get(1).asText() : merge.asText());
    }
    return merges;
  }

  private Map<String, Object> metadata(String model) {
    Map<String, Object> metadata = new HashMap<>();
    metadata.put("tokenizer.ggml.model", model);
    metadata.put("tokenizer.ggml.tokens", tokens);
    metadata.put("tokenizer.ggml.token_type", types);
    return metadata;
  }

  private String preTokenizer() {
    String patterns = json.path("pre_tokenizer").toString();
    if (patterns.contains("|\\\\p{N}{1,3}|")) {
      return "llama-bpe";
    }
    if (patterns.contains("|\\\\p{N}|")) {
      return "qwen2";
    }
    return patterns.contains("\"individual_digits\":true") ? "smollm" : "gpt-2";
  }

  /** Whether the file asks for texts in Unicode's composed form, which no GGUF file can say. */
  static boolean composes(JsonNode json) {
    JsonNode normalizer = json.path("normalizer");
    return normalizer.path("type").asText().equals("NFC")
        || IntStream.range(0, normalizer.path("normalizers").size())
            .anyMatch(i -> normalizer.at("/normalizers/" + i + "/type").asText().equals("NFC"));
  }
}
