package kv4j.model.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Finds the texts of special tokens in a text, the longest first. */
final class SpecialTokens {
  /** A noncharacter: Unicode keeps it for use inside a program. */
  private static final char MARK = '\uFDD0';

  private final List<Special> longestFirst;

  private record Special(String text, String escaped, int token) {}

  /** A piece of a text: a special token, or, with -1 as the token, plain text. */
  record Part(String text, int token) {}

  /**
   * @param tokens ids by text; a text shorter than two characters is never searched for, since it
   *     could not be marked as plain
   */
  SpecialTokens(Map<String, Integer> tokens) {
    longestFirst =
        tokens.entrySet().stream()
            .filter(entry -> entry.getKey().length() > 1)
            .map(entry -> new Special(entry.getKey(), mark(entry.getKey()), entry.getValue()))
            .sorted(
                Comparator.comparingInt((Special special) -> -special.text.length())
                    .thenComparing(Special::text))
            .toList();
  }

  /** The parts of a text in order, none of them empty. */
  List<Part> split(String text) {
    List<Part> parts = text.isEmpty() ? List.of() : List.of(new Part(text, -1));
    for (Special special : longestFirst) {
      if (text.contains(special.text)) {
        List<Part> finer = new ArrayList<>();
        for (Part part : parts) {
          if (part.token >= 0) {
            finer.add(part);
          } else {
            split(part.text, special, finer);
          }
        }
        parts = finer;
      }
    }
    return parts;
  }

  private static void split(String text, Special special, List<Part> parts) {
    int from = 0;
    for (int at = text.indexOf(special.text); at >= 0; at = text.indexOf(special.text, from)) {
      if (at > from) {
        parts.add(new Part(text.substring(from, at), -1));
      }
      parts.add(new Part(special.text, special.token));
      from = at + special.text.length();
    }
    if (from < text.length()) {
      parts.add(new Part(text.substring(from), -1));
    }
  }

  /** Marks every special text, so that {@link #split} does not see it. */
  String escape(String text) {
    String escaped = text;
    for (Special special : longestFirst) {
      escaped = escaped.replace(special.text, special.escaped);
    }
    return escaped;
  }

  /** Takes the marks of {@link #escape} away. */
  String unescape(String text) {
    if (text.indexOf(MARK) < 0) {
      return text;
    }
    String plain = text;
    for (int i = longestFirst.size() - 1; i >= 0; i--) {
      plain = plain.replace(longestFirst.get(i).escaped, longestFirst.get(i).text);
    }
    return plain;
  }

  /** Whether {@link #escape} may have marked something in the text. */
  static boolean isMarked(String text) {
    return text.indexOf(MARK) >= 0;
  }

  private static String mark(String special) {
    int first = Character.charCount(special.codePointAt(0));
    return special.substring(0, first) + MARK + special.substring(first);
  }
}
