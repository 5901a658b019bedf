package kv4j.apps.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import kv4j.model.Model;
import kv4j.model.chat.ChatTemplate;

/**
 * A model and what else came with it.
 *
 * @param template the chat template, if it has one
 * @param vocabulary GGUF's metadata of its tokenizer; empty if it cannot be told in them
 */
public record LoadedModel(
    Model model, Optional<ChatTemplate> template, Map<String, Object> vocabulary) {
  public LoadedModel {
    vocabulary = Collections.unmodifiableMap(new LinkedHashMap<>(vocabulary)); // in its order
  }
}
