package kv4j.apps.serve.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The fields of an object in a request, each asked for once by name; whatever nobody asked for is
 * refused in the end. A field that is {@code null} counts as absent, as in OpenAI's protocol.
 */
public final class Fields {
  private final ObjectNode object;
  private final String path;
  private final Set<String> known = new HashSet<>();

  /** Of the body itself. */
  public Fields(ObjectNode object) {
    this(object, "");
  }

  private Fields(ObjectNode object, String path) {
    this.object = object;
    this.path = path;
  }

  /**
   * Of an object within.
   *
   * @param path what the object is called in errors
   * @throws RequestException if the node is no object
   */
  public static Fields of(JsonNode node, String path) {
    if (node instanceof ObjectNode object) {
      return new Fields(object, path + ".");
    }
    throw RequestException.invalid(path, path + " must be an object");
  }

  /** What a field of this name is called in errors. */
  public String path(String name) {
    return path + name;
  }

  /** A field as it is. */
  public Optional<JsonNode> find(String name) {
    known.add(name);
    return Optional.ofNullable(object.get(name)).filter(node -> !node.isNull());
  }

  /**
   * A field as it is.
   *
   * @throws RequestException if there is none
   */
  public JsonNode require(String name) {
    return find(name)
        .orElseThrow(() -> RequestException.invalid(path(name), path(name) + " is missing"));
  }

  /** A text. */
  public Optional<String> text(String name) {
    return find(name).map(node -> text(node, path(name)));
  }

  /**
   * The text that a node is.
   *
   * @throws RequestException if it is none, or half a surrogate pair, which no UTF-8 can say
   */
  public static String text(JsonNode node, String path) {
    if (!node.isTextual()) {
      throw RequestException.invalid(path, path + " must be a string");
    }
    String text = node.textValue();
    if (text.codePoints()
        .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
      throw RequestException.invalid(path, path + " has half of a surrogate pair in it");
    }
    return text;
  }

  /** A whole number within a range. */
  public OptionalInt integer(String name, int least, int most) {
    Optional<JsonNode> node = find(name);
    return node.isEmpty()
        ? OptionalInt.empty()
        : OptionalInt.of((int) integer(node.get(), path(name), least, most));
  }

  /** The whole number that a node is. */
  public static long integer(JsonNode node, String path, long least, long most) {
    if (!node.isIntegralNumber()) {
      throw RequestException.invalid(path, path + " must be a whole number");
    }
    if (!node.canConvertToLong() || node.longValue() < least || node.longValue() > most) {
      throw RequestException.invalid(
          path, "%s must be from %d to %d, not %s".formatted(path, least, most, shown(node)));
    }
    return node.longValue();
  }

  /** A number within a range. */
  public OptionalDouble number(String name, double least, double most) {
    Optional<JsonNode> node = find(name);
    return node.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(number(node.get(), path(name), least, most));
  }

  /** The number that a node is. */
  public static double number(JsonNode node, String path, double least, double most) {
    if (!node.isNumber()) {
      throw RequestException.invalid(path, path + " must be a number");
    }
    double value = node.doubleValue();
    if (!(value >= least && value <= most)) {
      throw RequestException.invalid(
          path, "%s must be from %s to %s, not %s".formatted(path, least, most, shown(node)));
    }
    return value;
  }

  /** True or false; false if absent. */
  public boolean flag(String name) {
    Optional<JsonNode> node = find(name);
    if (node.isPresent() && !node.get().isBoolean()) {
      throw RequestException.invalid(path(name), path(name) + " must be true or false");
    }
    return node.isPresent() && node.get().booleanValue();
  }

  /**
   * Takes a field that this server does nothing about, where that is what it asks for.
   *
   * @param harmless its values, as JSON, that ask for nothing
   * @throws RequestException if it has another value
   */
  public void onlyHarmless(String name, String... harmless) {
    Optional<JsonNode> node = find(name);
    if (node.isPresent() && !Arrays.asList(harmless).contains(node.get().toString())) {
      throw RequestException.unsupported(
          path(name),
          "this server supports %s only as %s"
              .formatted(path(name), String.join(" or ", harmless)));
    }
  }

  /**
   * Refuses what was not asked for.
   *
   * @throws RequestException that names it
   */
  public void end() {
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      String name = field.getKey();
      if (!known.contains(name) && !field.getValue().isNull()) {
        String shown = name.length() > 64 ? name.substring(0, 64) + "…" : name;
        throw RequestException.unsupported(
            path(shown), "this server does not support \"%s\"".formatted(path(shown)));
      }
    }
  }

  private static String shown(JsonNode node) {
    String text = node.toString();
    return text.length() > 40 ? text.substring(0, 40) + "…" : text;
  }
}
