package kv4j.model.chat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Rewrites the code of one block or expression where the engine reads it otherwise than Jinja. */
final class TemplateCode {
  private static final Pattern TOKEN =
      Pattern.compile(
          "'[^'\\\\]*+(?:\\\\.[^'\\\\]*+)*+'|\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"|\\w++|.",
          Pattern.DOTALL);

  /** The engine takes a filter it does not know for nothing, in silence. */
  private static final Set<String> FILTERS =
      Set.of(
          "capitalize",
          "count",
          "d",
          "default",
          "first",
          "float",
          "indent",
          "int",
          "items",
          "join",
          "last",
          "length",
          "list",
          "lower",
          "map",
          "reject",
          "rejectattr",
          "replace",
          "reverse",
          "safe",
          "select",
          "selectattr",
          "sort",
          "string",
          "title",
          "tojson",
          "trim",
          "unique",
          "upper");

  /** As with filters. */
  private static final Set<String> TESTS =
      Set.of(
          "boolean",
          "defined",
          "divisibleby",
          "eq",
          "equalto",
          "even",
          "false",
          "float",
          "in",
          "integer",
          "iterable",
          "mapping",
          "none",
          "number",
          "odd",
          "sequence",
          "string",
          "true",
          "undefined");

  /** Jinja lets a slice run backwards; the engine knows the filter that does the same. */
  private static final Pattern BACKWARDS = Pattern.compile("([\\w.]+)\\[::-1]");

  /** In Jinja {@code in} binds tighter than {@code not}. */
  private static final Pattern NOT_IN =
      Pattern.compile("\\bnot\\s+('[^'\\\\]*'|\"[^\"\\\\]*\"|[\\w.]+)\\s+in\\b");

  private static final Pattern NAME_OF_ARGUMENT = Pattern.compile("\\s*\\w+\\s*=(?!=)\\s*");

  private static final String REFUSED_LOOP =
      "%}{{ raise_exception('it has a loop with a condition, which is not supported') }}"
          + "{% set refused = true";

  private final String code;
  private final StringBuilder result = new StringBuilder();

  /** For each bracket that is open, whether a named argument's value is being read in it. */
  private final Deque<Boolean> brackets = new ArrayDeque<>();

  private TemplateCode(String code) {
    this.code = code;
  }

  static String rewrite(String code) {
    String forwards = BACKWARDS.matcher(code).replaceAll("($1|reverse)");
    String bound = NOT_IN.matcher(forwards).replaceAll("$1 not in");
    return bound.startsWith("macro") ? bound : new TemplateCode(bound).rewrite();
  }

  /**
   * Puts a named argument's value into parentheses, since the engine takes {@code f(a=b - 1)} for
   * {@code f((a=b) - 1)}; and lets a loop with a condition, which the engine would pass over in
   * silence, complain when it is reached.
   */
  private String rewrite() {
    boolean isLoop = code.matches("(?s)for\\s.*");
    Matcher tokens = TOKEN.matcher(code);
    int position = 0;
    String before = "";
    while (tokens.find(position)) {
      String token = tokens.group();
      if (!token.isBlank() && !(before.equals("is") && token.equals("not"))) {
        check(before, token);
        before = token;
      }
      position = tokens.end();
      if (isLoop && brackets.isEmpty() && token.equals("if")) {
        return result + REFUSED_LOOP;
      }
      boolean separates = token.equals(",") && !brackets.isEmpty();
      if (separates || ")]}".contains(token)) {
        result.append(Boolean.TRUE.equals(brackets.poll()) ? ")" : "");
      }
      result.append(token);
      if (separates || "([{".contains(token)) {
        position = argument(position);
      }
    }
    return result.toString();
  }

  private static void check(String before, String token) {
    if (before.equals("|") && !FILTERS.contains(token)) {
      throw new IllegalArgumentException(
          "the chat template uses the filter " + token + ", which is not supported");
    }
    if (before.equals("is") && !TESTS.contains(token.toLowerCase(Locale.ROOT))) {
      throw new IllegalArgumentException(
          "the chat template uses the test " + token + ", which is not supported");
    }
  }

  /** Begins an argument or element; goes on behind its name, if it has one. */
  private int argument(int position) {
    Matcher name = NAME_OF_ARGUMENT.matcher(code).region(position, code.length());
    boolean named = name.lookingAt();
    if (named) {
      result.append(name.group()).append('(');
    }
    brackets.push(named);
    return named ? name.end() : position;
  }
}
