package kv4j.model.chat;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import kv4j.model.Tokenizer;

/** Finds the chat template that came with a model. */
public final class ChatTemplates {
  private static final ObjectMapper JSON = new ObjectMapper();

  private ChatTemplates() {}

  /**
   * The template of a GGUF file, if it has one.
   *
   * @throws IllegalArgumentException if the metadata holds something else in its place
   */
  public static Optional<ChatTemplate> from(Map<String, Object> metadata, Tokenizer tokenizer) {
    Object template = metadata.get("tokenizer.chat_template");
    if (template != null && !(template instanceof String)) {
      throw new IllegalArgumentException("tokenizer.chat_template is not a text");
    }
    return Optional.ofNullable((String) template).map(text -> of(text, tokenizer));
  }

  /**
   * The template of a Hugging Face folder, if it has one: {@code chat_template.jinja}, or else
   * {@code chat_template} in {@code tokenizer_config.json}, of several the one named default.
   *
   * @throws IOException if a file cannot be read
   * @throws IllegalArgumentException if {@code tokenizer_config.json} is not JSON
   */
  public static Optional<ChatTemplate> read(Path folder, Tokenizer tokenizer) throws IOException {
    Path file = folder.resolve("chat_template.jinja");
    if (Files.isRegularFile(file)) {
      return Optional.of(of(Files.readString(file), tokenizer));
    }
    Path config = folder.resolve("tokenizer_config.json");
    if (!Files.isRegularFile(config)) {
      return Optional.empty();
    }
    try {
      JsonNode template = JSON.readTree(Files.readAllBytes(config)).path("chat_template");
      for (JsonNode named : template) {
        if (named.path("name").asText().equals("default")) {
          template = named.path("template");
          break;
        }
      }
      return template.isTextual()
          ? Optional.of(of(template.textValue(), tokenizer))
          : Optional.empty();
    } catch (JacksonException e) {
      throw new IllegalArgumentException(config + " is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static ChatTemplate of(String template, Tokenizer tokenizer) {
    return new ChatTemplate(
        template, name(tokenizer, tokenizer.beginToken()), name(tokenizer, tokenizer.endToken()));
  }

  private static String name(Tokenizer tokenizer, int token) {
    return token < 0 ? "" : tokenizer.name(token);
  }
}
