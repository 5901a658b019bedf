package kv4j.apps.serve.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import kv4j.model.chat.ChatMessage;
import kv4j.model.chat.ChatTemplate;

/**
 * Conversations as the chat template wants them. A conversation without tools is one of roles and
 * texts; one with tools goes to the template as it came, if the template knows tools at all.
 */
final class Messages {
  private static final String MESSAGES = "messages";
  private static final String TOOLS = "tools";
  private static final String CONTENT = "content";
  private static final String CALLS = "tool_calls";
  private static final String ROLE = "role";
  private static final String TOOL = "tool";
  private static final String ASSISTANT = "assistant";
  private static final ChatTemplate PLAIN = ChatTemplate.plain();
  private static final int MOST_MESSAGES = 4096;

  /** What the roles of the protocol are to templates. */
  private static final Map<String, String> ROLES =
      Map.of(
          "system",
          "system",
          "developer",
          "system",
          "user",
          "user",
          ASSISTANT,
          ASSISTANT,
          TOOL,
          TOOL);

  private final ModelCard model;
  private final ChatTemplate template;

  Messages(ModelCard model) {
    this.model = model;
    template = model.template().orElse(PLAIN);
  }

  /** The prompt, on to where the answer begins. */
  int[] read(Fields fields) {
    return encode(fields, true);
  }

  /** The prompt of what has been said so far. */
  int[] beginning(Fields fields) {
    return encode(fields, false);
  }

  private int[] encode(Fields fields, boolean generationPrompt) {
    JsonNode array = fields.require(MESSAGES);
    if (!array.isArray() || array.isEmpty() || array.size() > MOST_MESSAGES) {
      throw RequestException.invalid(
          MESSAGES, "messages must be an array of 1 to %d messages".formatted(MOST_MESSAGES));
    }
    Optional<JsonNode> tools = fields.find(TOOLS).filter(Messages::isNotEmpty);
    fields.onlyHarmless("tool_choice", "\"auto\"");
    fields.onlyHarmless("parallel_tool_calls", "true");
    List<Map<String, Object>> messages = new ArrayList<>();
    boolean plain = tools.isEmpty();
    for (int i = 0; i < array.size(); i++) {
      Map<String, Object> message = message(array.get(i), "messages[%d]".formatted(i));
      plain &= message.size() == 2;
      messages.add(message);
    }
    if (!plain && !template.takesTools()) {
      String param = tools.isPresent() ? TOOLS : MESSAGES;
      throw RequestException.unsupported(param, "the chat template of this model knows no tools");
    }
    try {
      return plain
          ? template.encode(model.tokenizer(), simple(messages), generationPrompt)
          : template.encode(
              model.tokenizer(),
              messages,
              tools.map(Messages::tools).orElse(null),
              generationPrompt);
    } catch (IllegalArgumentException e) {
      throw RequestException.invalid(MESSAGES, e.getMessage());
    }
  }

  private static boolean isNotEmpty(JsonNode node) {
    return !node.isArray() || !node.isEmpty();
  }

  private static List<ChatMessage> simple(List<Map<String, Object>> messages) {
    return messages.stream()
        .map(m -> new ChatMessage((String) m.get(ROLE), (String) m.get(CONTENT)))
        .toList();
  }

  private static Map<String, Object> message(JsonNode node, String path) {
    Fields fields = Fields.of(node, path);
    String asked = fields.text(ROLE).orElse("");
    String role = ROLES.get(asked);
    if (role == null) {
      throw RequestException.invalid(
          fields.path(ROLE),
          "%s must be one of %s"
              .formatted(
                  fields.path(ROLE),
                  ROLES.keySet().stream().sorted().collect(Collectors.joining(", "))));
    }
    Map<String, Object> message = new LinkedHashMap<>();
    message.put(ROLE, role);
    Optional<JsonNode> calls =
        role.equals(ASSISTANT) ? fields.find(CALLS).filter(Messages::isNotEmpty) : Optional.empty();
    Optional<JsonNode> content = fields.find(CONTENT);
    if (content.isEmpty() && calls.isEmpty()) {
      throw RequestException.invalid(fields.path(CONTENT), fields.path(CONTENT) + " is missing");
    }
    message.put(CONTENT, content.map(c -> content(c, fields.path(CONTENT))).orElse(""));
    calls.ifPresent(c -> message.put(CALLS, calls(c, fields.path(CALLS))));
    if (role.equals(TOOL)) {
      fields.text("tool_call_id").ifPresent(id -> message.put("tool_call_id", id));
      fields.text("name").ifPresent(name -> message.put("name", name));
      message.putIfAbsent("tool_call_id", "");
    }
    if (role.equals(ASSISTANT)) {
      fields.onlyHarmless("refusal"); // agents send answers back as they came: this is null,
      fields.onlyHarmless("annotations", "[]"); // and OpenAI's own have these
    }
    fields.end();
    return message;
  }

  private static String content(JsonNode node, String path) {
    if (!node.isArray()) {
      return Fields.text(node, path);
    }
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < node.size(); i++) {
      Fields part = Fields.of(node.get(i), "%s[%d]".formatted(path, i));
      String type = part.text("type").orElse("");
      if (!type.equals("text")) {
        throw RequestException.unsupported(
            part.path("type"), part.path("type") + " must be \"text\": nothing else is supported");
      }
      texts.add(Fields.text(part.require("text"), part.path("text")));
      part.end();
    }
    return String.join("\n", texts);
  }

  /** Templates want arguments as objects, the protocol has them as text. */
  private static List<Map<String, Object>> calls(JsonNode node, String path) {
    List<Map<String, Object>> calls = maps(node, path);
    for (Map<String, Object> call : calls) {
      if (call.get("function") instanceof Map<?, ?> function
          && function.get("arguments") instanceof String text) {
        Map<String, Object> parsed = new LinkedHashMap<>();
        function.forEach((key, value) -> parsed.put((String) key, value));
        parsed.put("arguments", arguments(text));
        call.put("function", parsed);
      }
    }
    return calls;
  }

  private static Object arguments(String text) {
    try {
      ObjectNode object = StrictJson.object(text.getBytes(StandardCharsets.UTF_8));
      return value(object, CALLS);
    } catch (RequestException e) {
      return text; // as the model wrote it, then
    }
  }

  private static List<Map<String, Object>> tools(JsonNode node) {
    return maps(node, TOOLS);
  }

  private static List<Map<String, Object>> maps(JsonNode node, String path) {
    if (!node.isArray()) {
      throw RequestException.invalid(path, path + " must be an array");
    }
    List<Map<String, Object>> maps = new ArrayList<>();
    for (JsonNode element : node) {
      if (!element.isObject()) {
        throw RequestException.invalid(path, path + " must be an array of objects");
      }
      maps.add(map(element, path));
    }
    return maps;
  }

  private static Map<String, Object> map(JsonNode node, String path) {
    Map<String, Object> map = new LinkedHashMap<>();
    node.properties().forEach(entry -> map.put(entry.getKey(), value(entry.getValue(), path)));
    return map;
  }

  private static Object value(JsonNode node, String path) {
    if (node.isObject()) {
      return map(node, path);
    }
    if (node.isArray()) {
      List<Object> list = new ArrayList<>();
      node.forEach(element -> list.add(value(element, path)));
      return list;
    }
    if (node.isTextual()) {
      return Fields.text(node, path);
    }
    if (node.isNumber()) {
      return node.isIntegralNumber() && node.canConvertToLong()
          ? (Object) node.longValue()
          : (Object) node.doubleValue();
    }
    return node.isBoolean() ? node.booleanValue() : null;
  }
}
