package kv4j.model.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/** The methods of Python's {@code str}. */
final class StringMethods {
  static final Set<String> NAMES =
      Set.of(
          "capitalize",
          "casefold",
          "center",
          "count",
          "encode",
          "endswith",
          "expandtabs",
          "find",
          "format",
          "format_map",
          "index",
          "isalnum",
          "isalpha",
          "isascii",
          "isdecimal",
          "isdigit",
          "isidentifier",
          "islower",
          "isnumeric",
          "isprintable",
          "isspace",
          "istitle",
          "isupper",
          "join",
          "ljust",
          "lower",
          "lstrip",
          "maketrans",
          "partition",
          "removeprefix",
          "removesuffix",
          "replace",
          "rfind",
          "rindex",
          "rjust",
          "rpartition",
          "rsplit",
          "rstrip",
          "split",
          "splitlines",
          "startswith",
          "strip",
          "swapcase",
          "title",
          "translate",
          "upper",
          "zfill");

  /** Methods whose second argument markup escapes. */
  private static final Set<String> ESCAPING = Set.of("replace", "ljust", "rjust", "center");

  private StringMethods() {}

  static Object call(Object self, String name, Arguments arguments) {
    if (!(self instanceof Markup)) {
      return call((String) self, name, arguments);
    }
    if (name.equals("format") || name.equals("format_map")) {
      return format(self, name, arguments);
    }
    List<Object> given = new ArrayList<>(arguments.positional());
    if (name.equals("join") && given.size() == 1) {
      given.set(0, escapedItems(given.get(0)));
    } else if (ESCAPING.contains(name) && given.size() > 1) {
      given.set(1, Markup.escape(given.get(1)).text());
    }
    return marked(call(Text.of(self), name, new Arguments(given, arguments.named())));
  }

  private static Object escapedItems(Object items) {
    List<Object> escaped = new ArrayList<>();
    Values.iterate(items).forEachRemaining(item -> escaped.add(Markup.escape(item).text()));
    return escaped;
  }

  private static Object marked(Object value) {
    if (value instanceof String text) {
      return new Markup(text);
    }
    List<Object> items = Values.items(value);
    if (items == null) {
      return value;
    }
    List<Object> marked = new ArrayList<>();
    items.forEach(item -> marked.add(marked(item)));
    return value instanceof Tuple ? new Tuple(marked) : marked;
  }

  private static Object call(String s, String name, Arguments arguments) {
    Budget.spend(s.length() / 8);
    switch (name) {
      case "split", "rsplit" -> {
        Object[] bound = arguments.bind(name, 0, "sep", "maxsplit");
        int most = bound[1] == Lookup.ABSENT ? -1 : Values.index(bound[1]);
        return split(s, Arguments.or(bound[0], null), most, name.equals("rsplit"));
      }
      case "splitlines" -> {
        Object[] bound = arguments.bind(name, 0, "keepends");
        return Text.lines(s, Values.flag(Arguments.or(bound[0], false)));
      }
      case "expandtabs" -> {
        Object[] bound = arguments.bind(name, 0, "tabsize");
        return expandTabs(s, bound[0] == Lookup.ABSENT ? 8 : Values.index(bound[0]));
      }
      case "format", "format_map" -> {
        return format(s, name, arguments);
      }
      case "encode", "maketrans", "translate" ->
          throw JinjaException.refused("the method '" + name + "' of texts is not supported");
      default -> {
        return positional(s, name, arguments);
      }
    }
  }

  private static Object positional(String s, String name, Arguments arguments) {
    switch (name) {
      case "strip", "lstrip", "rstrip" -> {
        List<Object> given = arguments.only(name, 0, 1);
        Object characters = given.isEmpty() ? null : given.get(0);
        return strip(s, characters, !name.equals("rstrip"), !name.equals("lstrip"));
      }
      case "startswith", "endswith" -> {
        return affix(s, name, arguments.only(name, 1, 3));
      }
      case "replace" -> {
        List<Object> given = arguments.only(name, 2, 3);
        int most = given.size() > 2 ? Values.index(given.get(2)) : -1;
        return Text.replace(s, text(given.get(0)), text(given.get(1)), most);
      }
      case "count", "find", "rfind", "index", "rindex" -> {
        return search(s, name, arguments.only(name, 1, 3));
      }
      case "join" -> {
        return join(s, arguments.only(name, 1, 1).get(0));
      }
      case "ljust", "rjust", "center" -> {
        List<Object> given = arguments.only(name, 1, 2);
        String fill = given.size() > 1 ? text(given.get(1)) : " ";
        if (Text.length(fill) != 1) {
          throw JinjaException.failure("The fill character must be exactly one character long");
        }
        return justify(s, name, Values.index(given.get(0)), fill);
      }
      case "zfill" -> {
        int width = Values.index(arguments.only(name, 1, 1).get(0));
        int sign = s.startsWith("-") || s.startsWith("+") ? 1 : 0;
        String zeros = Text.repeat("0", (long) width - Text.length(s));
        return s.substring(0, sign) + zeros + s.substring(sign);
      }
      case "partition", "rpartition" -> {
        String separator = separator(arguments.only(name, 1, 1).get(0));
        boolean first = name.equals("partition");
        int at = first ? s.indexOf(separator) : s.lastIndexOf(separator);
        return at < 0
            ? (first ? Tuple.of(s, "", "") : Tuple.of("", "", s))
            : Tuple.of(s.substring(0, at), separator, s.substring(at + separator.length()));
      }
      case "removeprefix" -> {
        String prefix = text(arguments.only(name, 1, 1).get(0));
        return s.startsWith(prefix) ? s.substring(prefix.length()) : s;
      }
      case "removesuffix" -> {
        String suffix = text(arguments.only(name, 1, 1).get(0));
        return s.endsWith(suffix) ? s.substring(0, s.length() - suffix.length()) : s;
      }
      default -> {
        arguments.only(name, 0, 0);
        return name.startsWith("is") ? is(s, name) : inCase(s, name);
      }
    }
  }

  private static Object format(Object self, String name, Arguments arguments) {
    if (name.equals("format")) {
      return BraceFormat.format(self, arguments);
    }
    Map<String, Object> named = new LinkedHashMap<>();
    if (arguments.only(name, 1, 1).get(0) instanceof Dict dict) {
      dict.entries().forEach(entry -> named.put(Printer.str(entry.key()), entry.value()));
    }
    return BraceFormat.format(self, new Arguments(List.of(), named));
  }

  private static String text(Object value) {
    String text = Text.of(value);
    if (text == null) {
      throw value instanceof Undefined undefined
          ? undefined.failure()
          : JinjaException.failure(
              "a method of a text takes a text, not " + Values.typeName(value));
    }
    return text;
  }

  private static String separator(Object value) {
    String separator = text(value);
    if (separator.isEmpty()) {
      throw JinjaException.failure("empty separator");
    }
    return separator;
  }

  /** Without characters of a set, or white space if it is null, at the ends. */
  static String strip(String s, Object characters, boolean left, boolean right) {
    String set = characters == null ? null : text(characters);
    IntPredicate stripped = set == null ? Text::isSpace : point -> set.indexOf(point) >= 0;
    int from = 0;
    int to = s.length();
    while (left && from < to && stripped.test(s.codePointAt(from))) {
      from += Character.charCount(s.codePointAt(from));
    }
    while (right && from < to && stripped.test(s.codePointBefore(to))) {
      to -= Character.charCount(s.codePointBefore(to));
    }
    return s.substring(from, to);
  }

  private static List<Object> split(String s, Object separator, int most, boolean fromRight) {
    List<Object> parts = new ArrayList<>();
    long left = most < 0 ? Long.MAX_VALUE : most;
    if (fromRight) {
      String mirrored = new StringBuilder(s).reverse().toString();
      Object other =
          separator == null ? null : new StringBuilder(separator(separator)).reverse().toString();
      for (Object part : split(mirrored, other, most, false)) {
        parts.add(0, new StringBuilder((String) part).reverse().toString());
      }
      return parts;
    }
    if (separator == null) {
      String rest = Text.stripLeft(s);
      while (!rest.isEmpty()) {
        int end = 0;
        while (end < rest.length() && (left == 0 || !Text.isSpace(rest.charAt(end)))) {
          end++;
        }
        parts.add(rest.substring(0, end));
        rest = Text.stripLeft(rest.substring(end));
        left--;
      }
      return parts;
    }
    String by = separator(separator);
    int from = 0;
    for (int at = s.indexOf(by); at >= 0 && left > 0; at = s.indexOf(by, from)) {
      parts.add(s.substring(from, at));
      from = at + by.length();
      left--;
      Budget.spend(1);
    }
    parts.add(s.substring(from));
    return parts;
  }

  private static boolean affix(String s, String name, List<Object> given) {
    String part = bounds(s, given);
    List<Object> affixes =
        given.get(0) instanceof Tuple tuple ? tuple.items() : List.of(text(given.get(0)));
    for (Object affix : affixes) {
      String wanted = text(affix);
      if (part != null
          && (name.equals("endswith") ? part.endsWith(wanted) : part.startsWith(wanted))) {
        return true;
      }
    }
    return false;
  }

  /** The part that the second and third argument ask for; null if it begins after the end. */
  private static String bounds(String s, List<Object> given) {
    if (given.size() < 2) {
      return s;
    }
    int length = Text.length(s);
    int from = given.get(1) == null ? 0 : Math.max(0, offset(given.get(1), length));
    int to = given.size() < 3 || given.get(2) == null ? length : offset(given.get(2), length);
    return from > length || from > to ? null : Text.part(s, from, Math.min(length, to));
  }

  private static int offset(Object value, int length) {
    int at = Values.index(value);
    return at < 0 ? Math.max(0, at + length) : at;
  }

  private static Object search(String s, String name, List<Object> given) {
    String wanted = text(given.get(0));
    String part = bounds(s, given);
    if (name.equals("count")) {
      int count = 0;
      if (part != null && wanted.isEmpty()) {
        count = Text.length(part) + 1;
      } else if (part != null) {
        for (int at = part.indexOf(wanted); at >= 0; ) {
          count++;
          at = part.indexOf(wanted, at + wanted.length());
        }
      }
      return Values.integer(count);
    }
    int at =
        part == null ? -1 : name.startsWith("r") ? part.lastIndexOf(wanted) : part.indexOf(wanted);
    if (at >= 0) {
      int before =
          given.size() < 2 || given.get(1) == null
              ? 0
              : Math.max(0, offset(given.get(1), Text.length(s)));
      return Values.integer((long) before + part.codePointCount(0, at));
    }
    if (name.endsWith("index")) {
      throw JinjaException.failure("substring not found");
    }
    return Values.integer(-1);
  }

  private static String join(String separator, Object items) {
    StringBuilder out = new StringBuilder();
    int[] count = {0};
    Values.iterate(items)
        .forEachRemaining(
            item -> {
              if (Text.of(item) == null) {
                throw JinjaException.failure(
                    "sequence item "
                        + count[0]
                        + ": expected str instance, "
                        + Values.typeName(item)
                        + " found");
              }
              out.append(count[0]++ == 0 ? "" : separator).append(Text.of(item));
              Budget.spendText(out.length() > Budget.LONGEST_TEXT ? out.length() : 8);
            });
    return out.toString();
  }

  static String justify(String s, String name, int width, String fill) {
    long missing = Math.max(0, (long) width - Text.length(s));
    long before =
        switch (name) {
          case "ljust" -> 0;
          case "rjust" -> missing;
          default -> missing / 2 + (missing & width & 1);
        };
    return Text.repeat(fill, before) + s + Text.repeat(fill, missing - before);
  }

  private static String expandTabs(String s, int size) {
    StringBuilder out = new StringBuilder();
    int column = 0;
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c == '\t') {
        int spaces = size > 0 ? size - column % size : 0;
        out.append(Text.repeat(" ", spaces));
        column += spaces;
      } else {
        out.append(c);
        column = c == '\n' || c == '\r' ? 0 : column + (Character.isLowSurrogate(c) ? 0 : 1);
      }
      Budget.spendText(out.length() > Budget.LONGEST_TEXT ? out.length() : 0);
    }
    return out.toString();
  }

  /** The text in another case, as the method of that name has it. */
  static String inCase(String s, String name) {
    return switch (name) {
      case "lower" -> s.toLowerCase(Locale.ROOT);
      case "casefold" -> s.replace("ß", "ss").toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT);
      case "upper" -> s.toUpperCase(Locale.ROOT);
      case "swapcase" -> swapCase(s);
      case "capitalize" -> s.isEmpty() ? s : titleFirst(s, 0);
      default -> title(s);
    };
  }

  private static String titleFirst(String word, int from) {
    int end = from + Character.charCount(word.codePointAt(from));
    String first = word.substring(from, end);
    int title = Character.toTitleCase(first.codePointAt(0));
    String upper = first.toUpperCase(Locale.ROOT);
    String begin =
        upper.length() > first.length() && title == first.codePointAt(0)
            ? upper.substring(0, 1) + upper.substring(1).toLowerCase(Locale.ROOT)
            : Character.toString(title);
    return begin + word.substring(end).toLowerCase(Locale.ROOT);
  }

  private static String title(String s) {
    StringBuilder out = new StringBuilder();
    int at = 0;
    while (at < s.length()) {
      int end = at;
      while (end < s.length() && isCased(s.codePointAt(end))) {
        end += Character.charCount(s.codePointAt(end));
      }
      if (end > at) {
        out.append(titleFirst(s.substring(at, end), 0));
      } else {
        end = at + Character.charCount(s.codePointAt(at));
        out.append(s, at, end);
      }
      at = end;
    }
    return out.toString();
  }

  private static String swapCase(String s) {
    StringBuilder out = new StringBuilder();
    s.codePoints()
        .forEach(
            point -> {
              String one = Character.toString(point);
              out.append(
                  Character.isUpperCase(point)
                      ? one.toLowerCase(Locale.ROOT)
                      : Character.isLowerCase(point) ? one.toUpperCase(Locale.ROOT) : one);
            });
    return out.toString();
  }

  private static boolean isCased(int point) {
    return Character.isUpperCase(point)
        || Character.isLowerCase(point)
        || Character.isTitleCase(point);
  }

  static boolean is(String s, String name) {
    return switch (name) {
      case "isascii" -> s.chars().allMatch(c -> c < 0x80);
      case "isprintable" -> s.codePoints().allMatch(Printer::isPrintable);
      case "islower" ->
          s.codePoints().anyMatch(Character::isLowerCase)
              && s.codePoints()
                  .noneMatch(p -> Character.isUpperCase(p) || Character.isTitleCase(p));
      case "isupper" ->
          s.codePoints().anyMatch(Character::isUpperCase)
              && s.codePoints()
                  .noneMatch(p -> Character.isLowerCase(p) || Character.isTitleCase(p));
      case "istitle" -> isTitle(s);
      case "isidentifier" -> isIdentifier(s);
      default -> !s.isEmpty() && s.codePoints().allMatch(characters(name));
    };
  }

  private static IntPredicate characters(String name) {
    return switch (name) {
      case "isspace" -> Text::isSpace;
      case "isalpha" -> Character::isLetter;
      case "isdecimal" -> point -> Character.getType(point) == Character.DECIMAL_DIGIT_NUMBER;
      case "isdigit" -> StringMethods::isDigit;
      case "isnumeric" -> StringMethods::isNumeric;
      default -> point -> Character.isLetter(point) || isNumeric(point);
    };
  }

  private static boolean isDigit(int point) {
    return Character.isDigit(point)
        || "²³¹".indexOf(point) >= 0
        || point == 0x2070
        || point >= 0x2074 && point <= 0x2079
        || point >= 0x2080 && point <= 0x2089
        || point >= 0x2460 && point <= 0x2468;
  }

  private static boolean isNumeric(int point) {
    int type = Character.getType(point);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER
        || "一二三四五六七八九十百千万億".indexOf(point) >= 0;
  }

  private static boolean isTitle(String s) {
    boolean cased = false;
    boolean inWord = false;
    for (int point : s.codePoints().toArray()) {
      boolean begins = Character.isUpperCase(point) || Character.isTitleCase(point);
      if (begins ? inWord : Character.isLowerCase(point) && !inWord) {
        return false;
      }
      inWord = isCased(point);
      cased |= inWord;
    }
    return cased;
  }

  static boolean isIdentifier(String s) {
    return !s.isEmpty()
        && (s.charAt(0) == '_' || Character.isUnicodeIdentifierStart(s.codePointAt(0)))
        && s.codePoints()
            .allMatch(
                p ->
                    p == '_'
                        || Character.isUnicodeIdentifierPart(p)
                            && !Character.isIdentifierIgnorable(p));
  }

  /** Python's {@code isalnum} or an underscore: what a word is made of. */
  static boolean isWord(int point) {
    return point == '_' || Character.isLetter(point) || isNumeric(point);
  }
}
