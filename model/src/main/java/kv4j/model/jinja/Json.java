package kv4j.model.jinja;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.math.BigInteger;
import java.util.List;

/** JSON as Python's {@code json} module writes it, which templates put into prompts. */
final class Json {
  private static final ObjectMapper READER =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final StringBuilder out = new StringBuilder();
  private final boolean ascii;
  private final String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean sorted;

  private Json(
      boolean ascii, String indent, String itemSeparator, String keySeparator, boolean sorted) {
    this.ascii = ascii;
    this.indent = indent;
    this.itemSeparator = itemSeparator;
    this.keySeparator = keySeparator;
    this.sorted = sorted;
  }

  /** The filter {@code tojson} with the options that Hugging Face gives it. */
  static String write(Object value, Arguments arguments) {
    Object[] bound =
        arguments.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
    Object indent = Arguments.or(bound[1], null);
    String step =
        indent == null
            ? null
            : Text.of(indent) != null ? Text.of(indent) : Text.repeat(" ", Values.index(indent));
    String itemSeparator = step == null ? ", " : ",";
    String keySeparator = ": ";
    Object separators = Arguments.or(bound[2], null);
    if (separators != null) {
      List<Object> both = Values.list(separators);
      if (both.size() != 2 || Text.of(both.get(0)) == null || Text.of(both.get(1)) == null) {
        throw JinjaException.failure("tojson's separators are not two texts");
      }
      itemSeparator = Text.of(both.get(0));
      keySeparator = Text.of(both.get(1));
    }
    Json json =
        new Json(
            Values.truth(Arguments.or(bound[0], false)),
            step,
            itemSeparator,
            keySeparator,
            Values.truth(Arguments.or(bound[3], false)));
    json.write(value, 0);
    return json.out.toString();
  }

  /** The filter {@code from_json}. */
  static Object read(Object text) {
    if (Text.of(text) == null) {
      throw JinjaException.failure("from_json takes a text, not " + Values.typeName(text));
    }
    Budget.spend(Text.of(text).length());
    try {
      return Values.of(READER.readValue(Text.of(text), Object.class));
    } catch (JacksonException e) {
      throw JinjaException.failure("from_json: no JSON: " + e.getOriginalMessage());
    }
  }

  private void write(Object value, int depth) {
    Budget.spend(1);
    Object simple = value instanceof Markup markup ? markup.text() : value;
    if (simple instanceof String text) {
      quote(text);
    } else if (simple == null || simple instanceof Boolean || Values.isNumber(simple)) {
      append(literal(simple));
    } else if (simple instanceof Dict dict) {
      writeDict(dict, depth);
    } else if (Values.items(simple) != null) {
      List<Object> items = Values.items(simple);
      append("[");
      for (int i = 0; i < items.size(); i++) {
        append(i == 0 ? "" : itemSeparator);
        newLine(depth + 1);
        write(items.get(i), depth + 1);
      }
      close(items.isEmpty(), depth, "]");
    } else {
      throw JinjaException.failure(
          "Object of type " + Values.typeName(value) + " is not JSON serializable");
    }
  }

  private void writeDict(Dict dict, int depth) {
    List<Object> items = dict.items();
    if (sorted) {
      items = Values.sorted(items, items, false);
    }
    append("{");
    String separator = "";
    for (Object item : items) {
      List<Object> pair = Values.items(item);
      append(separator);
      newLine(depth + 1);
      quote(key(pair.get(0)));
      append(keySeparator);
      write(pair.get(1), depth + 1);
      separator = itemSeparator;
    }
    close(items.isEmpty(), depth, "}");
  }

  private void close(boolean empty, int depth, String bracket) {
    if (!empty) {
      newLine(depth);
    }
    append(bracket);
  }

  private void newLine(int depth) {
    if (indent != null) {
      append("\n");
      append(indent.repeat(depth));
    }
  }

  private static String key(Object key) {
    if (Text.of(key) != null) {
      return Text.of(key);
    }
    if (key == null || Values.isNumber(key)) {
      return literal(key);
    }
    throw JinjaException.failure(
        "keys must be str, int, float, bool or None, not " + Values.typeName(key));
  }

  private static String literal(Object value) {
    if (value == null) {
      return "null";
    }
    if (value instanceof Double number && !Double.isFinite(number)) {
      return number.isNaN() ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
    }
    return value instanceof Boolean
        ? value.toString()
        : value instanceof BigInteger number
            ? Printer.decimal(number)
            : Printer.decimal((Double) value);
  }

  private void quote(String text) {
    append("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < ' ' || ascii && c > '~') {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    append("\"");
  }

  private void append(String text) {
    out.append(text);
    if (out.length() > Budget.LONGEST_TEXT) {
      Budget.spendText(out.length());
    }
  }
}
