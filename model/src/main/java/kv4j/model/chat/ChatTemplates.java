package kv4j.model.chat;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import kv4j.model.Tokenizer;

/** Finds the chat templates that came with a model. */
public final class ChatTemplates {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String GGUF = "tokenizer.chat_template";
  private static final String FIELD = "chat_template";
  private static final String DEFAULT = "default";
  private static final String JINJA = ".jinja";

  private ChatTemplates() {}

  /**
   * The templates of a GGUF file, if it has any: {@code tokenizer.chat_template} is the default,
   * and {@code tokenizer.chat_template.NAME} are others.
   *
   * @throws IllegalArgumentException if the metadata holds something else in their place
   */
  public static Optional<ChatTemplate> from(Map<String, Object> metadata, Tokenizer tokenizer) {
    Map<String, String> templates = new TreeMap<>();
    metadata.forEach(
        (key, value) -> {
          boolean named = key.startsWith(GGUF + ".");
          if (key.equals(GGUF) || named) {
            if (!(value instanceof String text)) {
              throw new IllegalArgumentException(key + " is not a text");
            }
            templates.put(named ? key.substring(GGUF.length() + 1) : DEFAULT, text);
          }
        });
    return of(templates, tokenizer);
  }

  /**
   * The templates of a Hugging Face folder, if it has any, where Transformers looks for them:
   * {@code chat_template.jinja} and the folder {@code additional_chat_templates}, or else {@code
   * chat_template} in {@code tokenizer_config.json}, one text or several with names; or else, as
   * processors have it, {@code chat_template.json}.
   *
   * @throws IOException if a file cannot be read
   * @throws IllegalArgumentException if a JSON file is not JSON or holds something else there
   */
  public static Optional<ChatTemplate> read(Path folder, Tokenizer tokenizer) throws IOException {
    Map<String, String> templates = new LinkedHashMap<>();
    Path file = folder.resolve(FIELD + JINJA);
    if (Files.isRegularFile(file)) {
      templates.put(DEFAULT, Files.readString(file));
    }
    Path others = folder.resolve("additional_chat_templates");
    if (Files.isDirectory(others)) {
      for (Path other : sorted(others)) {
        String name = other.getFileName().toString();
        templates.put(name.substring(0, name.length() - JINJA.length()), Files.readString(other));
      }
    }
    for (String config : List.of("tokenizer_config.json", FIELD + ".json")) {
      if (templates.isEmpty() && Files.isRegularFile(folder.resolve(config))) {
        templates.putAll(readConfig(folder.resolve(config)));
      }
    }
    return of(templates, tokenizer);
  }

  private static List<Path> sorted(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(JINJA)).sorted().toList();
    }
  }

  private static Map<String, String> readConfig(Path config) throws IOException {
    JsonNode template;
    try {
      template = JSON.readTree(Files.readAllBytes(config)).path(FIELD);
    } catch (JacksonException e) {
      throw new IllegalArgumentException(config + " is not JSON: " + e.getOriginalMessage(), e);
    }
    Map<String, String> templates = new LinkedHashMap<>();
    if (template.isTextual()) {
      templates.put(DEFAULT, template.textValue());
    } else if (template.isArray()) {
      for (JsonNode named : template) {
        if (!named.path("name").isTextual() || !named.path("template").isTextual()) {
          throw new IllegalArgumentException(
              config + ": a " + FIELD + " of several has no name or no template");
        }
        templates.put(named.get("name").textValue(), named.get("template").textValue());
      }
    } else if (!template.isMissingNode() && !template.isNull()) {
      throw new IllegalArgumentException(config + ": " + FIELD + " is not a text");
    }
    return templates;
  }

  private static Optional<ChatTemplate> of(Map<String, String> templates, Tokenizer tokenizer) {
    return templates.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new ChatTemplate(
                templates,
                name(tokenizer, tokenizer.beginToken()),
                name(tokenizer, tokenizer.endToken())));
  }

  private static String name(Tokenizer tokenizer, int token) {
    return token < 0 ? "" : tokenizer.name(token);
  }
}
