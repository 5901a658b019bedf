package kv4j.model.chat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** The methods of Python's strings that chat templates call. */
final class PythonStrings {
  private PythonStrings() {}

  /**
   * The result of a method.
   *
   * @throws IllegalArgumentException if there is no such method for these arguments
   */
  static Object call(String text, String method, Object... arguments) {
    boolean texts = Arrays.stream(arguments).allMatch(String.class::isInstance);
    String first = texts && arguments.length > 0 ? (String) arguments[0] : null;
    if (texts && arguments.length == 0) {
      switch (method) {
        case "upper":
          return text.toUpperCase(Locale.ROOT);
        case "lower":
          return text.toLowerCase(Locale.ROOT);
        case "capitalize":
          return capitalize(text);
        case "title":
          return title(text);
        case "split":
          return new ArrayList<>(List.of(strip(text, null, true, true).split("\\s+")));
        default:
          break;
      }
    }
    if (texts && arguments.length <= 1) {
      switch (method) {
        case "strip":
          return strip(text, first, true, true);
        case "lstrip":
          return strip(text, first, true, false);
        case "rstrip":
          return strip(text, first, false, true);
        default:
          break;
      }
    }
    if (texts && arguments.length == 1) {
      switch (method) {
        case "startswith":
          return text.startsWith(first);
        case "endswith":
          return text.endsWith(first);
        case "split":
          return split(text, first, Integer.MAX_VALUE);
        default:
          break;
      }
    }
    if (texts && arguments.length == 2 && method.equals("replace")) {
      return text.replace(first, (String) arguments[1]);
    }
    if (method.equals("split")
        && arguments.length == 2
        && arguments[0] instanceof String separator
        && arguments[1] instanceof Number most) {
      return split(text, separator, most.intValue() < 0 ? Integer.MAX_VALUE : most.intValue());
    }
    throw new IllegalArgumentException(
        "a text has no method " + method + " with " + arguments.length + " such arguments");
  }

  /**
   * Takes characters away from the ends of a text.
   *
   * @param characters which; null for whitespace
   */
  static String strip(String text, String characters, boolean left, boolean right) {
    IntPredicate goes =
        characters == null
            ? c -> Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85
            : c -> characters.indexOf(c) >= 0;
    int from = 0;
    int to = text.length();
    while (left && from < to && goes.test(text.codePointAt(from))) {
      from += Character.charCount(text.codePointAt(from));
    }
    while (right && from < to && goes.test(text.codePointBefore(to))) {
      to -= Character.charCount(text.codePointBefore(to));
    }
    return text.substring(from, to);
  }

  private static List<String> split(String text, String separator, int most) {
    if (separator.isEmpty()) {
      throw new IllegalArgumentException("a text cannot be split at nothing");
    }
    List<String> parts = new ArrayList<>();
    int from = 0;
    for (int at = text.indexOf(separator); at >= 0 && parts.size() < most; ) {
      parts.add(text.substring(from, at));
      from = at + separator.length();
      at = text.indexOf(separator, from);
    }
    parts.add(text.substring(from));
    return parts;
  }

  private static String capitalize(String text) {
    return text.isEmpty()
        ? text
        : text.substring(0, 1).toUpperCase(Locale.ROOT)
            + text.substring(1).toLowerCase(Locale.ROOT);
  }

  private static String title(String text) {
    StringBuilder title = new StringBuilder(text.length());
    boolean within = false;
    for (char c : text.toCharArray()) {
      title.append(within ? Character.toLowerCase(c) : Character.toUpperCase(c));
      within = Character.isLetter(c);
    }
    return title.toString();
  }
}
