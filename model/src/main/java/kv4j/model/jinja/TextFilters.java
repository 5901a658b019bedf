package kv4j.model.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/** Filters that make texts and numbers. */
final class TextFilters {
  private static final Pattern INTEGER = Pattern.compile("[+-]?\\w(_?\\w)*");
  private static final Pattern REAL =
      Pattern.compile("[+-]?(\\d(_?\\d)*\\.?(\\d(_?\\d)*)?|\\.\\d(_?\\d)*)([eE][+-]?\\d(_?\\d)*)?");

  private TextFilters() {}

  static void register(Map<String, Filter> filters) {
    for (String name : List.of("upper", "lower", "capitalize")) {
      filters.put(name, text(name, text -> StringMethods.inCase(text, name)));
    }
    filters.put("title", (value, given) -> title(plain(value, given, "title")));
    filters.put("trim", TextFilters::trim);
    filters.put("center", TextFilters::center);
    filters.put("string", (value, given) -> marked(value, plain(value, given, "string")));
    filters.put("safe", (value, given) -> new Markup(plain(value, given, "safe")));
    filters.put("escape", TextFilters::escape);
    filters.put("e", TextFilters::escape);
    filters.put(
        "forceescape",
        (value, given) -> new Markup(Markup.escaped(plain(value, given, "forceescape"))));
    filters.put("replace", TextFilters::replace);
    filters.put("indent", TextFilters::indent);
    filters.put("truncate", TextFilters::truncate);
    filters.put("wordcount", (value, given) -> wordCount(plain(value, given, "wordcount")));
    filters.put("format", TextFilters::format);
    filters.put("tojson", Json::write);
    filters.put("from_json", (value, given) -> fromJson(value, given));
    filters.put("urlencode", TextFilters::urlEncode);
    filters.put("xmlattr", TextFilters::xmlAttributes);
    filters.put("filesizeformat", TextFilters::fileSize);
    filters.put("int", TextFilters::toInt);
    filters.put("float", TextFilters::toFloat);
    filters.put("abs", TextFilters::abs);
    filters.put("round", TextFilters::round);
  }

  private static Filter text(String name, UnaryOperator<String> change) {
    return (value, given) -> marked(value, change.apply(plain(value, given, name)));
  }

  /** The value printed, by a filter without arguments. */
  private static String plain(Object value, Arguments given, String name) {
    given.bind(name, 0);
    String text = Printer.str(value);
    Budget.spendText(text.length());
    return text;
  }

  /** What was markup stays it. */
  private static Object marked(Object from, String text) {
    return from instanceof Markup ? new Markup(text) : text;
  }

  private static String title(String text) {
    // Lower case depends on what is around, so words are lowered whole, but for their beginnings.
    StringBuilder words = new StringBuilder();
    int at = 0;
    while (at < text.length()) {
      int end = at;
      while (end < text.length() && !isWordBreak(text.codePointAt(end))) {
        end += Character.charCount(text.codePointAt(end));
      }
      if (end == at) {
        end = at + Character.charCount(text.codePointAt(at));
        words.append(text, at, end);
      } else {
        int first = at + Character.charCount(text.codePointAt(at));
        words.append(text.substring(at, first).toUpperCase(Locale.ROOT));
        words.append(text.substring(first, end).toLowerCase(Locale.ROOT));
      }
      at = end;
    }
    return words.toString();
  }

  private static boolean isWordBreak(int point) {
    return "-({[<".indexOf(point) >= 0 || Text.isSpace(point);
  }

  private static Object trim(Object value, Arguments given) {
    Object characters = Arguments.or(given.bind("trim", 0, "chars")[0], null);
    return marked(value, StringMethods.strip(Printer.str(value), characters, true, true));
  }

  private static Object center(Object value, Arguments given) {
    Object width = Arguments.or(given.bind("center", 0, "width")[0], Values.integer(80));
    String text = StringMethods.justify(Printer.str(value), "center", Values.index(width), " ");
    return marked(value, text);
  }

  private static Object escape(Object value, Arguments given) {
    given.bind("escape", 0);
    return Markup.escape(value);
  }

  private static Object replace(Object value, Arguments given) {
    Object[] bound = given.bind("replace", 2, "old", "new", "count");
    Object count = Arguments.or(bound[2], null);
    return Text.replace(
        Printer.str(value),
        Printer.str(bound[0]),
        Printer.str(bound[1]),
        count == null ? -1 : Values.index(count));
  }

  private static String textOf(Object value, String filter) {
    String text = Text.of(value);
    if (text == null) {
      throw value instanceof Undefined undefined
          ? undefined.failure()
          : JinjaException.failure(
              "the filter '" + filter + "' takes a text, not " + Values.typeName(value));
    }
    return text;
  }

  private static Object indent(Object value, Arguments given) {
    Object[] bound = given.bind("indent", 0, "width", "first", "blank");
    Object width = Arguments.or(bound[0], Values.integer(4));
    String step = Text.of(width) != null ? Text.of(width) : Text.repeat(" ", Values.index(width));
    boolean blank = Values.truth(Arguments.or(bound[2], false));
    StringBuilder out = new StringBuilder();
    List<Object> lines = Text.lines(textOf(value, "indent") + "\n", false);
    for (int i = 0; i < lines.size(); i++) {
      String line = (String) lines.get(i);
      boolean first = i == 0 && Values.truth(Arguments.or(bound[1], false));
      out.append(i == 0 ? "" : "\n");
      out.append(first || i > 0 && (blank || !line.isEmpty()) ? step : "").append(line);
      Budget.spendText(out.length() > Budget.LONGEST_TEXT ? out.length() : line.length());
    }
    return marked(value, out.toString());
  }

  private static Object truncate(Object value, Arguments given) {
    Object[] bound = given.bind("truncate", 0, "length", "killwords", "end", "leeway");
    int length = bound[0] == Lookup.ABSENT ? 255 : Values.index(bound[0]);
    String end = textOf(Arguments.or(bound[2], "..."), "truncate");
    Object leeway = Arguments.or(bound[3], null);
    int more = leeway == null ? 5 : Values.index(leeway);
    if (length < Text.length(end) || more < 0) {
      throw JinjaException.failure("truncate: expected length >= " + Text.length(end));
    }
    if (Values.length(value) <= (long) length + more) {
      return value;
    }
    String text = textOf(value, "truncate");
    String kept = Text.part(text, 0, length - Text.length(end));
    if (!Values.truth(Arguments.or(bound[1], false)) && kept.lastIndexOf(' ') >= 0) {
      kept = kept.substring(0, kept.lastIndexOf(' '));
    }
    return marked(value, kept + (value instanceof Markup ? Markup.escaped(end) : end));
  }

  private static Object wordCount(String text) {
    int words = 0;
    boolean inWord = false;
    for (int point : text.codePoints().toArray()) {
      boolean word = StringMethods.isWord(point);
      words += word && !inWord ? 1 : 0;
      inWord = word;
    }
    return Values.integer(words);
  }

  private static Object format(Object value, Arguments given) {
    if (!given.positional().isEmpty() && !given.named().isEmpty()) {
      throw JinjaException.failure(
          "can't handle positional and keyword arguments at the same time");
    }
    Object format = Text.of(value) == null ? Printer.str(value) : value;
    return PercentFormat.format(
        format, given.named().isEmpty() ? new Tuple(given.positional()) : Dict.of(given.named()));
  }

  private static Object fromJson(Object value, Arguments given) {
    given.bind("from_json", 0);
    return Json.read(value);
  }

  private static Object urlEncode(Object value, Arguments given) {
    given.bind("urlencode", 0);
    if (Text.of(value) != null || !Values.isIterable(value)) {
      return quoted(value, "/");
    }
    List<String> pairs = new ArrayList<>();
    for (Object item : value instanceof Dict dict ? dict.items() : Values.list(value)) {
      List<Object> pair = Values.list(item);
      if (pair.size() != 2) {
        throw JinjaException.failure("urlencode takes pairs");
      }
      pairs.add(query(pair.get(0)) + "=" + query(pair.get(1)));
    }
    return String.join("&", pairs);
  }

  private static String query(Object value) {
    return quoted(value, "").replace("%20", "+");
  }

  private static String quoted(Object value, String safe) {
    String encoded =
        URLEncoder.encode(Printer.str(value), StandardCharsets.UTF_8)
            .replace("+", "%20")
            .replace("*", "%2A")
            .replace("%7E", "~");
    return safe.isEmpty() ? encoded : encoded.replace("%2F", "/");
  }

  private static Object xmlAttributes(Object value, Arguments given) {
    Object space = Arguments.or(given.bind("xmlattr", 0, "autospace")[0], true);
    if (!(value instanceof Dict dict)) {
      throw JinjaException.failure("xmlattr takes a dict");
    }
    StringBuilder out = new StringBuilder();
    for (Dict.Entry entry : dict.entries()) {
      if (entry.value() == null || entry.value() instanceof Undefined) {
        continue;
      }
      String key = textOf(entry.key(), "xmlattr");
      if (key.chars().anyMatch(c -> " \t\n\r\f\u000b/>=".indexOf(c) >= 0)) {
        throw JinjaException.failure("Invalid character in attribute name: " + Printer.repr(key));
      }
      out.append(out.length() == 0 ? "" : " ")
          .append(Markup.escape(entry.key()).text())
          .append("=\"")
          .append(Markup.escape(entry.value()).text())
          .append('"');
    }
    return out.length() > 0 && Values.truth(space) ? " " + out : out.toString();
  }

  private static Object fileSize(Object value, Arguments given) {
    boolean binary =
        Values.truth(Arguments.or(given.bind("filesizeformat", 0, "binary")[0], false));
    Double bytes = number(value);
    if (bytes == null) {
      throw JinjaException.failure("could not convert to float: " + Printer.repr(value));
    }
    double base = binary ? 1024 : 1000;
    if (bytes == 1) {
      return "1 Byte";
    }
    if (bytes < base) {
      return toWhole(bytes) + " Bytes";
    }
    double unit = base;
    String units = "kMGTPEZY";
    int at = -1;
    do {
      unit *= base;
      at++;
    } while (bytes >= unit && at < units.length() - 1);
    String prefix = units.substring(at, at + 1);
    String digits = NumberFormat.real(base * bytes / unit, 'f', 1, false);
    return digits + " " + (binary ? prefix.toUpperCase(Locale.ROOT) + "iB" : prefix + "B");
  }

  private static Object toInt(Object value, Arguments given) {
    Object[] bound = given.bind("int", 0, "default", "base");
    Object otherwise = Arguments.or(bound[0], BigInteger.ZERO);
    if (value instanceof Undefined undefined) {
      throw undefined.failure();
    }
    if (Text.of(value) != null) {
      Object radix = Arguments.or(bound[1], BigInteger.TEN);
      int base = Values.integer(radix) == null ? -1 : Values.index(radix);
      BigInteger parsed = parse(StringMethods.strip(Text.of(value), null, true, true), base);
      if (parsed != null) {
        return parsed;
      }
    } else if (Values.integer(value) != null) {
      return Values.integer(value);
    }
    Double number = number(value);
    return number == null || !Double.isFinite(number) ? otherwise : toWhole(number);
  }

  private static BigInteger toWhole(double number) {
    return new BigDecimal(number).toBigInteger();
  }

  /** The number that a text holds as Python's {@code int} reads it, or null. */
  private static BigInteger parse(String text, int base) {
    String digits = text;
    boolean negative = digits.startsWith("-");
    digits = digits.startsWith("+") || negative ? digits.substring(1) : digits;
    String prefix = digits.length() > 1 ? digits.substring(0, 2).toLowerCase(Locale.ROOT) : "";
    int named = prefix.equals("0x") ? 16 : prefix.equals("0o") ? 8 : prefix.equals("0b") ? 2 : 0;
    int radix = base == 0 ? (named == 0 ? 10 : named) : base;
    if (named == radix) {
      digits = digits.substring(2);
      digits = digits.startsWith("_") ? digits.substring(1) : digits;
    } else if (base == 0
        && digits.startsWith("0")
        && digits.chars().anyMatch(c -> c != '0' && c != '_')) {
      return null;
    }
    if (radix < 2
        || radix > 36
        || !INTEGER.matcher(digits).matches()
        || digits.startsWith("+")
        || digits.startsWith("-")
        || digits.startsWith("_")
        || digits.endsWith("_")) {
      return null;
    }
    digits = digits.replace("_", "");
    for (int i = 0; i < digits.length(); i++) {
      if (Character.digit(digits.charAt(i), radix) < 0) {
        return null;
      }
    }
    Budget.spend((long) digits.length() * digits.length() / 64);
    BigInteger size = digits.length() > 4300 ? null : new BigInteger(digits, radix);
    return size != null && negative ? size.negate() : size;
  }

  /** The number that Python's {@code float} makes of the value, or null. */
  private static Double number(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.failure();
    }
    if (Values.isNumber(value)) {
      return Arithmetic.toDouble(value);
    }
    if (Text.of(value) == null) {
      return null;
    }
    String text = StringMethods.strip(Text.of(value), null, true, true);
    if (REAL.matcher(text).matches()) {
      return Double.valueOf(text.replace("_", ""));
    }
    String lower = text.toLowerCase(Locale.ROOT);
    double sign = lower.startsWith("-") ? -1 : 1;
    lower = lower.startsWith("-") || lower.startsWith("+") ? lower.substring(1) : lower;
    return switch (lower) {
      case "inf", "infinity" -> sign * Double.POSITIVE_INFINITY;
      case "nan" -> Double.NaN;
      default -> null;
    };
  }

  private static Object toFloat(Object value, Arguments given) {
    Object otherwise = Arguments.or(given.bind("float", 0, "default")[0], 0.0);
    Double number = number(value);
    return number == null ? otherwise : number;
  }

  private static Object abs(Object value, Arguments given) {
    given.bind("abs", 0);
    if (Values.integer(value) != null) {
      return Values.integer(value).abs();
    }
    if (value instanceof Double number) {
      return Math.abs(number);
    }
    throw value instanceof Undefined undefined
        ? undefined.failure()
        : JinjaException.failure("bad operand type for abs(): '" + Values.typeName(value) + "'");
  }

  private static Object round(Object value, Arguments given) {
    Object[] bound = given.bind("round", 0, "precision", "method");
    Object method = Arguments.or(bound[1], "common");
    int precision = bound[0] == Lookup.ABSENT ? 0 : Values.index(bound[0]);
    if (!List.of("common", "ceil", "floor").contains(Text.of(method))) {
      throw JinjaException.failure("method must be common, ceil or floor");
    }
    if (!Values.isNumber(value)) {
      throw value instanceof Undefined undefined
          ? undefined.failure()
          : JinjaException.failure("round takes a number, not " + Values.typeName(value));
    }
    if (Text.of(method).equals("common")) {
      return rounded(value, precision);
    }
    Object scale = Arithmetic.binary("**", Values.integer(10), Values.integer(precision));
    Object scaled = Arithmetic.binary("*", value, scale);
    RoundingMode mode = Text.of(method).equals("ceil") ? RoundingMode.CEILING : RoundingMode.FLOOR;
    if (scaled instanceof Double real) {
      if (!Double.isFinite(real)) {
        throw JinjaException.failure("cannot convert float infinity or NaN to integer");
      }
      scaled = new BigDecimal(real).setScale(0, mode).toBigInteger();
    }
    return Arithmetic.binary("/", scaled, scale);
  }

  /** Half to even, of the exact value, as Python's {@code round}. */
  private static Object rounded(Object value, int precision) {
    BigInteger whole = Values.integer(value);
    int places = Math.max(-400, Math.min(400, precision));
    if (whole != null) {
      return places >= 0
          ? whole
          : new BigDecimal(whole).setScale(places, RoundingMode.HALF_EVEN).toBigInteger();
    }
    double number = (Double) value;
    if (!Double.isFinite(number)) {
      return number;
    }
    double rounded = new BigDecimal(number).setScale(places, RoundingMode.HALF_EVEN).doubleValue();
    return Math.copySign(rounded, number);
  }
}
