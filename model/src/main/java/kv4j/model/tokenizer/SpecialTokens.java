package kv4j.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Finds the texts of special tokens in a text, the longest first, as llama.cpp does. Control tokens
 * are found only where that is asked for, and never where {@link #escape} has marked a text.
 */
final class SpecialTokens {
  /** A noncharacter: Unicode keeps it for use inside a program. */
  private static final char MARK = '\uFDD0';

  private final List<Special> longestFirst;
  private final List<Special> control;

  /**
   * A token that is found in texts.
   *
   * @param control whether text as such may say it
   * @param strips whether it takes the whitespace after it
   */
  record Special(String text, int token, boolean control, boolean strips) {
    private int bytes() {
      return text.getBytes(StandardCharsets.UTF_8).length;
    }
  }

  /**
   * A piece of a text: a special token, or, with -1 as the token, plain text.
   *
   * @param from where in the whole text it begins
   */
  record Part(String text, int from, int token) {}

  /** A text without marks, and where in it no control token is meant. */
  private record Marked(String text, BitSet marks) {}

  SpecialTokens(Collection<Special> tokens) {
    longestFirst =
        tokens.stream()
            .filter(special -> !special.text.isEmpty())
            .sorted(
                Comparator.comparingInt((Special special) -> -special.bytes())
                    .thenComparing(Special::text))
            .toList();
    control = longestFirst.stream().filter(Special::control).toList();
  }

  /** The parts of a text in order, none of them empty; control tokens are text. */
  List<Part> split(String text) {
    return split(new Marked(text, new BitSet()), false);
  }

  /** The parts of a text in order, none of them empty; what is marked is no control token. */
  List<Part> splitMarked(String text) {
    return split(withoutMarks(text), true);
  }

  private List<Part> split(Marked text, boolean withControl) {
    List<Part> parts = text.text.isEmpty() ? List.of() : List.of(new Part(text.text, 0, -1));
    for (Special special : longestFirst) {
      if ((withControl || !special.control) && text.text.contains(special.text)) {
        List<Part> finer = new ArrayList<>();
        for (Part part : parts) {
          if (part.token >= 0) {
            finer.add(part);
          } else {
            split(part, special, text.marks, finer);
          }
        }
        parts = finer;
      }
    }
    return parts;
  }

  private static void split(Part part, Special special, BitSet marks, List<Part> parts) {
    String text = part.text;
    int length = special.text.length();
    int from = 0;
    int at = text.indexOf(special.text);
    while (at >= 0) {
      int mark = special.control ? marks.nextSetBit(part.from + at) : -1;
      if (mark >= 0 && mark < part.from + at + length) {
        at = text.indexOf(special.text, at + 1);
        continue;
      }
      addText(part, from, at, parts);
      parts.add(new Part(special.text, part.from + at, special.token));
      from = at + length;
      while (special.strips && from < text.length() && isSpace(text.charAt(from))) {
        from++;
      }
      at = text.indexOf(special.text, from);
    }
    addText(part, from, text.length(), parts);
  }

  private static void addText(Part whole, int from, int to, List<Part> parts) {
    if (from < to) {
      parts.add(new Part(whole.text.substring(from, to), whole.from + from, -1));
    }
  }

  /** As C has it, whose notion of whitespace llama.cpp strips by. */
  private static boolean isSpace(char character) {
    return character == ' ' || character >= '\t' && character <= '\r';
  }

  /** Marks the text of every control token, so that {@link #splitMarked} does not see it. */
  String escape(String text) {
    BitSet starts = new BitSet();
    for (Special special : control) {
      for (int at = text.indexOf(special.text); at >= 0; at = text.indexOf(special.text, at + 1)) {
        starts.set(at);
      }
    }
    if (starts.isEmpty()) {
      return text;
    }
    StringBuilder escaped = new StringBuilder();
    int from = 0;
    for (int start = starts.nextSetBit(0); start >= 0; start = starts.nextSetBit(start + 1)) {
      int to = text.offsetByCodePoints(start, 1);
      escaped.append(text, from, to).append(MARK);
      from = to;
    }
    return escaped.append(text, from, text.length()).toString();
  }

  /** Takes the marks of {@link #escape} away. */
  String unescape(String text) {
    return withoutMarks(text).text;
  }

  /** Whether {@link #escape} may have marked something in the text. */
  static boolean isMarked(String text) {
    return text.indexOf(MARK) >= 0;
  }

  /**
   * Removes the marks that {@link #escape} put into the texts of control tokens; a mark anywhere
   * else was in the text before, and stays.
   */
  private Marked withoutMarks(String text) {
    BitSet marks = new BitSet();
    if (!isMarked(text)) {
      return new Marked(text, marks);
    }
    StringBuilder plain = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      boolean ours = text.charAt(i) == MARK && plain.length() > 0 && isControlAt(text, i, plain);
      if (ours) {
        marks.set(plain.offsetByCodePoints(plain.length(), -1));
      } else {
        plain.append(text.charAt(i));
      }
    }
    return new Marked(plain.toString(), marks);
  }

  /** Whether the character before a mark and the text after it, unmarked, begin as a token does. */
  private boolean isControlAt(String text, int mark, StringBuilder before) {
    int first = before.codePointBefore(before.length());
    for (Special special : control) {
      if (special.text.codePointAt(0) == first && isRest(text, mark + 1, special.text)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isRest(String text, int from, String special) {
    int at = from;
    for (int i = Character.charCount(special.codePointAt(0)); i < special.length(); i++) {
      while (at < text.length() && text.charAt(at) == MARK) {
        at++;
      }
      if (at == text.length() || text.charAt(at++) != special.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
