package kv4j.model.tokenizer;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What the files of a Hugging Face folder say of special tokens, in Transformers' order:
 *
 * <ul>
 *   <li>A generation ends with {@code eos_token_id} of {@code generation_config.json}, or else of
 *       {@code config.json}; and with the tokenizer's own end token, as in servers, since a chat
 *       template ends turns with that.
 *   <li>The tokenizer's begin and end tokens are those of {@code tokenizer_config.json}; but those
 *       of {@code special_tokens_map.json} come first if the former is of the old kind that has no
 *       {@code added_tokens_decoder}.
 *   <li>Tokens of {@code added_tokens_decoder}, or else of {@code added_tokens.json}, and all
 *       special tokens named anywhere, are added to those of {@code tokenizer.json}; what the first
 *       says of one that is there already, such as {@code rstrip}, counts.
 * </ul>
 */
public final class SpecialTokenFiles {
  /** Python writes NaN and infinities. */
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  private static final String DECODER = "added_tokens_decoder";
  private static final List<String> ROLES =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");
  private static final List<String> LISTS =
      List.of("additional_special_tokens", "extra_special_tokens");
  private static final List<String> FLAGS = List.of("single_word", "lstrip", "rstrip");

  private final JsonNode tokenizer;
  private final JsonNode specialMap;
  private final JsonNode addedTokens;
  private final JsonNode generation;
  private final JsonNode model;

  private SpecialTokenFiles(Path folder) throws IOException {
    tokenizer = json(folder.resolve("tokenizer_config.json"));
    specialMap = json(folder.resolve("special_tokens_map.json"));
    addedTokens = json(folder.resolve("added_tokens.json"));
    generation = json(folder.resolve("generation_config.json"));
    model = json(folder.resolve("config.json"));
  }

  /**
   * Reads a folder, of which any file may be missing.
   *
   * @throws IOException if a file cannot be read
   * @throws IllegalArgumentException if one is not JSON
   */
  public static SpecialTokenFiles read(Path folder) throws IOException {
    return new SpecialTokenFiles(folder);
  }

  /** A JSON file; a missing node if there is none. */
  static JsonNode json(Path file) throws IOException {
    try {
      return JSON.readTree(Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      return JSON.missingNode();
    } catch (JacksonException e) {
      throw new IllegalArgumentException(file + " is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  /** The text of a token by its role, such as {@code eos_token}, if a file names one. */
  public Optional<String> token(String role) {
    List<JsonNode> files =
        tokenizer.has(DECODER) ? List.of(tokenizer, specialMap) : List.of(specialMap, tokenizer);
    return files.stream()
        .filter(file -> file.has(role))
        .findFirst()
        .flatMap(file -> text(file.path(role)));
  }

  /** Ids that end a generation, in the file's order; without the tokenizer's own end token. */
  public List<Integer> generationEnds() {
    return Stream.of(generation, model)
        .map(file -> ids(file.path("eos_token_id")))
        .filter(ids -> !ids.isEmpty())
        .findFirst()
        .orElse(List.of());
  }

  /** Whether a prompt starts with the begin token, if {@code tokenizer_config.json} says. */
  public Optional<Boolean> addsBegin() {
    JsonNode said = tokenizer.path("add_bos_token");
    return said.isBoolean() ? Optional.of(said.booleanValue()) : Optional.empty();
  }

  /** Whether {@code tokenizer_config.json} wants the end token behind a prompt. */
  public boolean addsEnd() {
    return tokenizer.path("add_eos_token").asBoolean();
  }

  private static List<Integer> ids(JsonNode said) {
    return (said.isArray() ? stream(said) : Stream.of(said))
        .filter(id -> id.isIntegralNumber() && id.canConvertToInt() && id.intValue() >= 0)
        .map(JsonNode::intValue)
        .toList();
  }

  /** The text of a token that is a text or an object; null is not the text "null". */
  private static Optional<String> text(JsonNode token) {
    JsonNode text = token.isObject() ? token.path("content") : token;
    return text.isTextual() ? Optional.of(text.textValue()) : Optional.empty();
  }

  /**
   * Adds the tokens that {@code tokenizer.json} does not list as added, as the tokenizers library
   * would: under the id that its vocabulary has them by, or else the next one.
   */
  public void addTokens(ObjectNode tokenizerJson) {
    JsonNode vocabulary = tokenizerJson.path("model").path("vocab");
    if (!vocabulary.isObject()) {
      return;
    }
    ArrayNode added = tokenizerJson.withArray("/added_tokens");
    Map<String, ObjectNode> listed = new HashMap<>();
    for (JsonNode token : added) {
      if (token instanceof ObjectNode object) {
        listed.put(token.path("content").asText(), object);
      }
    }
    Set<String> special = specialTexts();
    described(special)
        .forEach(
            (text, token) -> {
              if (!listed.containsKey(text)) {
                listed.put(text, add(text, token, vocabulary, added));
              } else if (tokenizer.has(DECODER)) {
                update(listed.get(text), token);
              }
            });
    for (String text : special) {
      if (!listed.containsKey(text)) {
        listed.put(text, add(text, flags(JSON.missingNode(), true), vocabulary, added));
      }
    }
  }

  private static ObjectNode add(
      String text, ObjectNode token, JsonNode vocabulary, ArrayNode added) {
    JsonNode known = vocabulary.path(text);
    int last = vocabulary.size() - 1;
    for (JsonNode other : added) {
      last = Math.max(last, other.path("id").asInt(-1));
    }
    token.put("id", known.canConvertToInt() ? known.intValue() : last + 1).put("content", text);
    added.add(token);
    return token;
  }

  /** How a token is found is as it was last said; once special, it stays so. */
  private static void update(ObjectNode token, ObjectNode said) {
    if (said.path("special").asBoolean() && !token.path("special").asBoolean()) {
      token.put("special", true).set("normalized", said.path("normalized"));
    }
    FLAGS.forEach(flag -> token.set(flag, said.path(flag)));
  }

  /** Tokens by text, as the file that lists added tokens describes them, in order of their ids. */
  private Map<String, ObjectNode> described(Set<String> special) {
    Map<String, ObjectNode> described = new LinkedHashMap<>();
    JsonNode decoder = tokenizer.path(DECODER);
    if (tokenizer.has(DECODER)) {
      decoder.properties().stream()
          .filter(entry -> entry.getKey().matches("\\d{1,9}"))
          .sorted(Comparator.comparing(entry -> Integer.valueOf(entry.getKey())))
          .forEach(
              entry ->
                  text(entry.getValue())
                      .ifPresent(text -> described.put(text, flags(entry.getValue(), false))));
    } else {
      addedTokens.properties().stream()
          .sorted(Comparator.comparing(entry -> entry.getValue().asInt()))
          .map(Map.Entry::getKey)
          .forEach(text -> described.put(text, flags(JSON.missingNode(), special.contains(text))));
    }
    return described;
  }

  private Set<String> specialTexts() {
    Stream<String> roles = ROLES.stream().flatMap(role -> token(role).stream());
    Stream<String> lists =
        LISTS.stream()
            .flatMap(list -> Stream.of(tokenizer.path(list), specialMap.path(list)))
            .flatMap(SpecialTokenFiles::stream)
            .flatMap(token -> text(token).stream());
    return Stream.concat(roles, lists)
        .filter(text -> !text.isEmpty())
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private static ObjectNode flags(JsonNode token, boolean special) {
    boolean isSpecial = token.path("special").asBoolean(special);
    ObjectNode flags = JSON.createObjectNode().put("special", isSpecial);
    flags.put("normalized", token.path("normalized").asBoolean(!isSpecial));
    FLAGS.forEach(flag -> flags.put(flag, token.path(flag).asBoolean()));
    return flags;
  }

  private static Stream<JsonNode> stream(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false);
  }
}
