package kv4j.model.family;

import java.util.LinkedHashMap;
import java.util.Map;
import kv4j.model.format.ModelFileException;

/**
 * Typed access to what a model file says of its model; null is as good as absent.
 *
 * @param origin the file, for messages
 * @param values by key
 * @param prefix of all keys
 */
record Fields(String origin, Map<?, ?> values, String prefix) {
  boolean has(String key) {
    return values.get(prefix + key) != null;
  }

  /**
   * A size that must be there.
   *
   * @throws ModelFileException if it is not, or is no whole number from 1 to 2^31 - 1
   */
  int size(String key) {
    Object value = required(key);
    if (value instanceof Integer || value instanceof Long) {
      long number = ((Number) value).longValue();
      if (number >= 1 && number <= Integer.MAX_VALUE) {
        return (int) number;
      }
    }
    throw wrong(key, value, "a whole number from 1 to " + Integer.MAX_VALUE);
  }

  private Object required(String key) {
    Object value = values.get(prefix + key);
    if (value == null) {
      throw new ModelFileException(origin, prefix + key + " is missing");
    }
    return value;
  }

  int size(String key, int otherwise) {
    return has(key) ? size(key) : otherwise;
  }

  /**
   * @throws ModelFileException if it is not a finite number
   */
  float number(String key, float otherwise) {
    return has(key) ? number(key) : otherwise;
  }

  /**
   * A number that must be there.
   *
   * @throws ModelFileException if it is not, or is not finite
   */
  float number(String key) {
    Object value = required(key);
    if (value instanceof Number number && Float.isFinite(number.floatValue())) {
      return number.floatValue();
    }
    throw wrong(key, value, "a number");
  }

  /**
   * @throws ModelFileException if it is not a string
   */
  String text(String key, String otherwise) {
    Object value = values.get(prefix + key);
    if (value == null || value instanceof String) {
      return value == null ? otherwise : (String) value;
    }
    throw wrong(key, value, "a string");
  }

  /**
   * @throws ModelFileException if it is neither true nor false
   */
  boolean flag(String key, boolean otherwise) {
    Object value = values.get(prefix + key);
    if (value == null || value instanceof Boolean) {
      return value == null ? otherwise : (Boolean) value;
    }
    throw wrong(key, value, "true or false");
  }

  /**
   * The fields of a value that is an object, with its key and a dot before each; none if it is
   * absent.
   *
   * @throws ModelFileException if it is something else
   */
  Fields object(String key) {
    Object value = values.get(prefix + key);
    if (value != null && !(value instanceof Map)) {
      throw wrong(key, value, "an object");
    }
    String dotted = prefix + key + ".";
    Map<String, Object> fields = new LinkedHashMap<>();
    if (value != null) {
      ((Map<?, ?>) value).forEach((name, field) -> fields.put(dotted + name, field));
    }
    return new Fields(origin, fields, dotted);
  }

  /**
   * Refuses a model that says something of itself that is not supported.
   *
   * @throws ModelFileException if a field is there and is not the one value that is
   */
  void requireIfThere(String key, Object supported) {
    Object value = values.get(prefix + key);
    if (value != null && !value.equals(supported)) {
      throw new ModelFileException(
          origin, prefix + key + " is not supported except as " + supported + shown(value));
    }
  }

  private ModelFileException wrong(String key, Object value, String wanted) {
    return new ModelFileException(origin, prefix + key + " must be " + wanted + shown(value));
  }

  /** A value after what it should be, if it is short. */
  static String shown(Object value) {
    if (value instanceof String text) {
      return ", not " + ModelFileException.printable(text);
    }
    return value instanceof Number || value instanceof Boolean ? ", not " + value : "";
  }
}
