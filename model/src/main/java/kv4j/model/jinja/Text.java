package kv4j.model.jinja;

import java.util.ArrayList;
import java.util.List;

/** Texts as Python sees them: sequences of code points. */
final class Text {
  private Text() {}

  /** The text of a text or markup, or null of anything else. */
  static String of(Object value) {
    return value instanceof String text ? text : value instanceof Markup m ? m.text() : null;
  }

  static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  static List<Object> characters(String text) {
    Budget.spend(text.length());
    List<Object> characters = new ArrayList<>(text.length());
    text.codePoints().forEach(point -> characters.add(Character.toString(point)));
    return characters;
  }

  /** The part between two code points. */
  static String part(String text, int from, int to) {
    int begin = text.offsetByCodePoints(0, from);
    return text.substring(begin, text.offsetByCodePoints(begin, to - from));
  }

  /** Orders by code points, where Java orders by UTF-16 units. */
  static int compare(String a, String b) {
    int shared = Math.min(a.length(), b.length());
    for (int i = 0; i < shared; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        boolean wide = Character.isSurrogate(x) != Character.isSurrogate(y);
        return wide ? (Character.isSurrogate(x) ? 1 : -1) : Character.compare(x, y);
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  /** Python's {@code isspace} of a character. */
  static boolean isSpace(int point) {
    return point >= 9 && point <= 13
        || point >= 0x1c && point <= 0x20
        || point == 0x85
        || point == 0xa0
        || point == 0x2028
        || point == 0x2029
        || point > 0xa0 && Character.getType(point) == Character.SPACE_SEPARATOR;
  }

  static String stripLeft(String text) {
    int at = 0;
    while (at < text.length() && isSpace(text.charAt(at))) {
      at++;
    }
    return text.substring(at);
  }

  static String stripRight(String text) {
    int end = text.length();
    while (end > 0 && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }

  /** The text so many times; none if the number is negative. */
  static String repeat(String text, long times) {
    long count = Math.max(0, times);
    Budget.spendText(
        text.isEmpty() ? 0 : Math.multiplyExact(Math.min(count, 1L << 32), text.length()));
    return text.isEmpty() ? "" : text.repeat((int) count);
  }

  static String replace(String text, String old, String with, int most) {
    int count = 0;
    if (old.isEmpty()) {
      count = length(text) + 1;
    } else {
      for (int at = text.indexOf(old); at >= 0; at = text.indexOf(old, at + old.length())) {
        count++;
      }
    }
    count = most < 0 ? count : Math.min(count, most);
    Budget.spendText(text.length() + (long) count * Math.max(0, with.length() - old.length()));
    Budget.spend(text.length() / 8);
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (int i = 0; i < count; i++) {
      if (old.isEmpty()) {
        out.append(with);
        if (from < text.length()) {
          int point = text.codePointAt(from);
          out.appendCodePoint(point);
          from += Character.charCount(point);
        }
      } else {
        int at = text.indexOf(old, from);
        out.append(text, from, at).append(with);
        from = at + old.length();
      }
    }
    return out.append(text, from, text.length()).toString();
  }

  /** Python's {@code splitlines}. */
  static List<Object> lines(String text, boolean keepEnds) {
    Budget.spend(text.length() / 8);
    List<Object> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      if (endsLine(text.charAt(i))) {
        int end = text.startsWith("\r\n", i) ? i + 2 : i + 1;
        lines.add(text.substring(from, keepEnds ? end : i));
        from = end;
        i = end - 1;
      }
    }
    if (from < text.length()) {
      lines.add(text.substring(from));
    }
    return lines;
  }

  private static boolean endsLine(char c) {
    return c >= '\n' && c <= '\r'
        || c >= 0x1c && c <= 0x1e
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }
}
