package kv4j.model.tokenizer.export;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import kv4j.model.tokenizer.BytePairFiles;
import kv4j.model.tokenizer.SpecialTokenFiles;
import kv4j.model.tokenizer.Vocabulary.Type;

/**
 * Tells in GGUF's metadata what the {@code tokenizer.json} of a Hugging Face folder says, where
 * GGUF has terms for it: byte-level vocabularies whose way to cut words it has a name for, and
 * SentencePiece vocabularies.
 *
 * <p>One thing is lost on the way, as GGUF has no term for it: a tokenizer that composes texts
 * first (Unicode NFC, as Qwen's do) no longer does.
 */
public final class TokenizerExport {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PREFIX = "tokenizer.ggml.";
  private static final int LARGEST = 1 << 22;

  private final JsonNode json;
  private final SpecialTokenFiles files;
  private final String[] tokens;
  private final Type[] types;
  private final Map<String, Integer> ids = new LinkedHashMap<>();

  private TokenizerExport(ObjectNode json, SpecialTokenFiles files, int vocabulary) {
    files.addTokens(json);
    this.json = json;
    this.files = files;
    tokens = new String[vocabulary];
    types = new Type[vocabulary];
    readTokens();
  }

  /**
   * Metadata by which llama.cpp and {@link kv4j.model.tokenizer.GgufTokenizers#from} make the same
   * tokenizer.
   *
   * @param vocabulary tokens that the model has, which may be more than the tokenizer's; ids
   *     without a token become unused tokens
   * @throws IOException if a file cannot be read
   * @throws IllegalArgumentException if there is no {@code tokenizer.json}, or GGUF cannot describe
   *     it
   */
  public static Map<String, Object> metadata(Path folder, int vocabulary) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    JsonNode json =
        Files.isRegularFile(file)
            ? read(file)
            : BytePairFiles.read(folder).map(JsonNode.class::cast).orElse(JSON.missingNode());
    if (!json.isObject()) {
      throw new IllegalArgumentException("there is no tokenizer in " + file);
    }
    try {
      JsonNode config = read(folder.resolve("tokenizer_config.json"));
      SpecialTokenFiles files = SpecialTokenFiles.read(folder);
      Map<String, Object> metadata =
          new TokenizerExport((ObjectNode) json, files, vocabulary).metadata();
      Path template = folder.resolve("chat_template.jinja");
      if (Files.isRegularFile(template)) {
        metadata.put("tokenizer.chat_template", Files.readString(template));
      } else if (config.path("chat_template").isTextual()) {
        metadata.put("tokenizer.chat_template", config.path("chat_template").textValue());
      }
      return metadata;
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          file + " cannot be told in GGUF's terms: " + e.getMessage(), e);
    }
  }

  private static JsonNode read(Path file) throws IOException {
    try {
      return JSON.readTree(Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      return JSON.missingNode();
    } catch (JacksonException e) {
      throw new IllegalArgumentException(file + " is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private void readTokens() {
    JsonNode model = json.path("model");
    requireAbsent(model, "dropout");
    requireAbsent(model, "continuing_subword_prefix");
    requireAbsent(model, "end_of_word_suffix");
    if (!model.path("type").asText("BPE").equals("BPE") || !model.path("vocab").isObject()) {
      throw new IllegalArgumentException(
          "its model is '" + model.path("type").asText() + "', and only BPE is supported");
    }
    model.path("vocab").properties().forEach(entry -> put(entry.getKey(), entry.getValue()));
    ids.values().forEach(id -> types[id] = Type.NORMAL);
    for (JsonNode token : json.path("added_tokens")) {
      int id = put(token.path("content").asText(), token.path("id"));
      boolean special = token.path("special").asBoolean();
      types[id] = special ? Type.CONTROL : Type.USER_DEFINED;
      for (String how : List.of("lstrip", "rstrip", "single_word")) {
        if (token.path(how).asBoolean()) {
          throw new IllegalArgumentException(
              "token '" + tokens[id] + "' has " + how + ", which GGUF has no term for");
        }
      }
    }
    for (int id = 0; id < tokens.length; id++) {
      if (tokens[id] == null) {
        tokens[id] = "[PAD" + id + "]";
        types[id] = Type.UNUSED;
      }
    }
  }

  private static void requireAbsent(JsonNode model, String what) {
    JsonNode value = model.path(what);
    boolean none = value.isMissingNode() || value.isNull() || value.asText().isEmpty();
    if (!none && value.asDouble(1) != 0) {
      throw new IllegalArgumentException("its model has a " + what);
    }
  }

  private int put(String text, JsonNode id) {
    if (!id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= LARGEST) {
      throw new IllegalArgumentException("token '" + text + "' has the id " + id);
    }
    int token = id.intValue();
    if (token >= tokens.length) {
      throw new IllegalArgumentException(
          "token '" + text + "' has the id " + id + ", but the model has " + tokens.length);
    }
    if (tokens[token] != null && !tokens[token].equals(text)) {
      throw new IllegalArgumentException(
          "tokens '" + tokens[token] + "' and '" + text + "' have the same id");
    }
    tokens[token] = text;
    ids.put(text, token);
    return token;
  }

  private Map<String, Object> metadata() {
    Map<String, Object> metadata = new LinkedHashMap<>();
    List<String[]> merges = merges();
    if (decoders(json.path("decoder")).contains("ByteLevel")) {
      put(metadata, "model", "gpt2");
      put(metadata, "pre", WordPatterns.name(json));
      put(metadata, "merges", merges.stream().map(pair -> pair[0] + " " + pair[1]).toList());
      put(metadata, "add_space_prefix", false);
    } else {
      SentencePieces pieces = new SentencePieces(json, ids, types);
      put(metadata, "model", "llama");
      put(metadata, "scores", pieces.scores(merges));
      put(metadata, "add_space_prefix", pieces.addsSpace());
    }
    put(metadata, "tokens", List.of(tokens));
    put(metadata, "token_type", Arrays.stream(types).map(type -> type.ordinal() + 1).toList());
    int begin = files.token("bos_token").map(text -> ids.getOrDefault(text, -1)).orElse(-1);
    List<Integer> ends = ends();
    putId(metadata, "bos", begin);
    putId(metadata, "eos", ends.isEmpty() ? -1 : ends.get(0));
    putId(metadata, "unknown", id(json.path("model").path("unk_token")));
    putId(metadata, "eot", ends.size() < 2 ? -1 : ends.get(1));
    put(metadata, "add_bos_token", begin >= 0 && addsBegin(begin));
    return metadata;
  }

  /** Pairs in order; files have them as a text with a space, or as a list of two. */
  private List<String[]> merges() {
    List<String[]> merges = new ArrayList<>();
    for (JsonNode merge : json.path("model").path("merges")) {
      String[] pair =
          merge.isArray() && merge.size() == 2
              ? new String[] {merge.get(0).asText(), merge.get(1).asText()}
              : merge.asText().split(" ", -1);
      boolean known = pair.length == 2 && ids.containsKey(pair[0]) && ids.containsKey(pair[1]);
      if (!known || pair[0].contains(" ") || pair[1].contains(" ")) {
        throw new IllegalArgumentException("merge " + merge + " is not of two of its tokens");
      }
      if (!ids.containsKey(pair[0] + pair[1])) {
        throw new IllegalArgumentException("the result of merge " + merge + " is no token");
      }
      merges.add(pair);
    }
    return merges;
  }

  private static List<String> decoders(JsonNode decoder) {
    List<String> types = new ArrayList<>();
    types.add(decoder.path("type").asText());
    decoder.path("decoders").forEach(part -> types.addAll(decoders(part)));
    return types;
  }

  /** Of a token that may be a text or an object, or null, which is not the text "null". */
  private int id(JsonNode token) {
    JsonNode text = token.isObject() ? token.path("content") : token;
    return text.isTextual() ? ids.getOrDefault(text.textValue(), -1) : -1;
  }

  /** Tokens that end a generation, the tokenizer's own first; GGUF has terms for two. */
  private List<Integer> ends() {
    Stream<Integer> own = files.token("eos_token").map(ids::get).stream();
    return Stream.concat(own, files.generationEnds().stream())
        .filter(id -> id < tokens.length)
        .distinct()
        .toList();
  }

  private boolean addsBegin(int begin) {
    return files.addsBegin().orElseGet(() -> begins(json.path("post_processor"), begin));
  }

  /** Whether a post-processor, or one of several, puts a token first. */
  private boolean begins(JsonNode processor, int token) {
    for (JsonNode part : processor.path("processors")) {
      if (begins(part, token)) {
        return true;
      }
    }
    String first = processor.path("single").path(0).path("SpecialToken").path("id").asText();
    return tokens[token].equals(first);
  }

  private static void putId(Map<String, Object> metadata, String role, int id) {
    if (id >= 0) {
      put(metadata, role + "_token_id", id);
    }
  }

  private static void put(Map<String, Object> metadata, String name, Object value) {
    metadata.put(PREFIX + name, value);
  }
}
