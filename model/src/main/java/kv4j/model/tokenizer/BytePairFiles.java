package kv4j.model.tokenizer;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * A tokenizer as GPT-2 was published with it, {@code vocab.json} and {@code merges.txt}, as the
 * {@code tokenizer.json} that Transformers makes of the two.
 */
public final class BytePairFiles {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String END_OF_TEXT = "<|endoftext|>";

  /** Tokenizers of these names cut words as GPT-2 does; others with the same files do not. */
  private static final Set<String> CLASSES = Set.of("GPT2Tokenizer", "GPT2TokenizerFast");

  private BytePairFiles() {}

  /**
   * Reads a folder; empty if the two files are not there.
   *
   * @throws IOException if a file cannot be read
   * @throws IllegalArgumentException if they are malformed, or {@code tokenizer_config.json} beside
   *     them names another kind of tokenizer
   */
  public static Optional<ObjectNode> read(Path folder) throws IOException {
    Path vocabulary = folder.resolve("vocab.json");
    Path merges = folder.resolve("merges.txt");
    if (!Files.isRegularFile(vocabulary) || !Files.isRegularFile(merges)) {
      return Optional.empty();
    }
    Path config = folder.resolve("tokenizer_config.json");
    JsonNode said = Files.isRegularFile(config) ? json(config) : JSON.missingNode();
    String kind = said.path("tokenizer_class").asText("GPT2Tokenizer");
    if (!CLASSES.contains(kind)) {
      throw new IllegalArgumentException(
          config
              + " names a '"
              + kind
              + "', which needs a tokenizer.json to tell how it cuts words");
    }
    JsonNode tokens = json(vocabulary);
    if (!tokens.isObject()) {
      throw new IllegalArgumentException(vocabulary + " is not a JSON object");
    }
    ObjectNode json = JSON.createObjectNode().put("version", "1.0");
    ArrayNode added = json.putArray("added_tokens");
    if (tokens.has(END_OF_TEXT)) {
      ObjectNode end = added.addObject().put("content", END_OF_TEXT).put("special", true);
      end.set("id", tokens.path(END_OF_TEXT));
      end.put("normalized", false).put("single_word", false);
      end.put("lstrip", false).put("rstrip", false);
    }
    byteLevel(json.putObject("pre_tokenizer"), said.path("add_prefix_space").asBoolean());
    byteLevel(json.putObject("decoder"), false);
    ObjectNode model = json.putObject("model").put("type", "BPE");
    model.set("vocab", tokens);
    ArrayNode list = model.putArray("merges");
    Files.readAllLines(merges).stream()
        .filter(line -> !line.isBlank() && !line.startsWith("#version"))
        .forEach(list::add);
    return Optional.of(json);
  }

  private static void byteLevel(ObjectNode node, boolean prefix) {
    node.put("type", "ByteLevel").put("add_prefix_space", prefix);
    node.put("trim_offsets", true).put("use_regex", true);
  }

  private static JsonNode json(Path file) throws IOException {
    try {
      return JSON.readTree(Files.readAllBytes(file));
    } catch (JacksonException e) {
      throw new IllegalArgumentException(file + " is not JSON: " + e.getOriginalMessage(), e);
    }
  }
}
