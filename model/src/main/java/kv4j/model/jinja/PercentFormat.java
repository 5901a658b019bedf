package kv4j.model.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;

/** Python's {@code text % values}. */
final class PercentFormat {
  private final String format;
  private final Object mapping;
  private final boolean markup;
  private final StringBuilder out = new StringBuilder();
  private List<Object> arguments;
  private int used;
  private int at;

  private PercentFormat(String format, Object values, boolean markup) {
    this.format = format;
    this.markup = markup;
    arguments = values instanceof Tuple tuple ? tuple.items() : java.util.Arrays.asList(values);
    // Whatever can be subscripted may have items that the format does not ask for.
    mapping =
        values instanceof Dict
                || values instanceof List
                || values instanceof Range
                || values instanceof Undefined
            ? values
            : null;
  }

  static Object format(Object format, Object values) {
    boolean markup = format instanceof Markup;
    String text = new PercentFormat(Text.of(format), values, markup).run();
    return markup ? new Markup(text) : text;
  }

  private String run() {
    while (at < format.length()) {
      int percent = format.indexOf('%', at);
      if (percent < 0) {
        out.append(format, at, format.length());
        break;
      }
      out.append(format, at, percent);
      at = percent + 1;
      field();
      Budget.spendText(out.length() / 64);
    }
    if (used < arguments.size() && mapping == null) {
      throw JinjaException.failure("not all arguments converted during string formatting");
    }
    return out.toString();
  }

  private void field() {
    List<Object> outer = arguments;
    int outerUsed = used;
    boolean named = peek() == '(';
    if (named) {
      arguments = java.util.Arrays.asList(lookUp(key()));
      used = 0;
    }
    String flags = flags();
    boolean left = flags.indexOf('-') >= 0;
    int width = count(0);
    if (width < 0) {
      left = true;
      width = -width;
    }
    int precision = -1;
    if (peek() == '.') {
      at++;
      precision = Math.max(0, count(0));
    }
    while ("hlL".indexOf(peek()) >= 0) {
      at++;
    }
    char type = peek();
    if (type == 0) {
      throw JinjaException.failure("incomplete format");
    }
    at++;
    if (type == '%') {
      out.append('%');
    } else {
      write(type, next(), flags, left, width, precision);
    }
    if (named) {
      arguments = outer;
      used = outerUsed;
    }
  }

  private char peek() {
    return at < format.length() ? format.charAt(at) : 0;
  }

  private String key() {
    int depth = 0;
    int from = at + 1;
    do {
      if (at >= format.length()) {
        throw JinjaException.failure("incomplete format key");
      }
      char c = format.charAt(at++);
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    } while (depth > 0);
    return format.substring(from, at - 1);
  }

  private Object lookUp(String key) {
    if (!(mapping instanceof Dict dict)) {
      throw JinjaException.failure("format requires a mapping");
    }
    Object value = dict.get(key);
    if (value == Lookup.ABSENT) {
      throw JinjaException.failure("the format's key " + Printer.repr(key) + " is missing");
    }
    return value;
  }

  private String flags() {
    int from = at;
    while (peek() != 0 && "-+ #0".indexOf(peek()) >= 0) {
      at++;
    }
    return format.substring(from, at);
  }

  private int count(int otherwise) {
    if (peek() == '*') {
      at++;
      Object value = next();
      if (Values.integer(value) == null) {
        throw JinjaException.failure("* wants int");
      }
      return Values.index(value);
    }
    long count = otherwise;
    while (peek() >= '0' && peek() <= '9') {
      count = Math.min(Integer.MAX_VALUE, count * 10 + peek() - '0');
      at++;
    }
    return (int) count;
  }

  private Object next() {
    if (used >= arguments.size()) {
      throw JinjaException.failure("not enough arguments for format string");
    }
    return arguments.get(used++);
  }

  private void write(
      char type, Object value, String flags, boolean left, int width, int precision) {
    String sign = "";
    String digits;
    switch (type) {
      case 's', 'r', 'a' -> {
        String text =
            type == 's' && markup
                ? Markup.escape(value).text()
                : type == 's'
                    ? Printer.str(value)
                    : type == 'r' ? Printer.repr(value) : Printer.ascii(value);
        text = markup && type != 's' ? Markup.escaped(text) : text;
        pad(precision < 0 ? text : shorten(text, precision), left, width);
        return;
      }
      case 'c' -> {
        pad(character(value), left, width);
        return;
      }
      case 'd', 'i', 'u', 'x', 'X', 'o' -> {
        BigInteger number = whole(type, value);
        sign = sign(number.signum() < 0, flags);
        digits = NumberFormat.whole(number, type);
        digits = Text.repeat("0", (long) precision - digits.length()) + digits;
        if (flags.indexOf('#') >= 0 && "xXo".indexOf(type) >= 0) {
          sign += "0" + type;
        }
      }
      case 'e', 'E', 'f', 'F', 'g', 'G' -> {
        double number = real(value);
        sign = sign(Math.copySign(1, number) < 0 && !Double.isNaN(number), flags);
        digits =
            NumberFormat.real(number, type, precision < 0 ? 6 : precision, flags.indexOf('#') >= 0);
      }
      default ->
          throw JinjaException.failure(
              "unsupported format character '" + type + "' at index " + (at - 1));
    }
    if (flags.indexOf('0') >= 0 && !left) {
      digits = Text.repeat("0", (long) width - sign.length() - digits.length()) + digits;
    }
    pad(sign + digits, left, width);
  }

  private static String shorten(String text, int length) {
    return Text.length(text) <= length ? text : Text.part(text, 0, length);
  }

  private static String sign(boolean negative, String flags) {
    return negative ? "-" : flags.indexOf('+') >= 0 ? "+" : flags.indexOf(' ') >= 0 ? " " : "";
  }

  private void pad(String text, boolean left, int width) {
    String spaces = Text.repeat(" ", (long) width - Text.length(text));
    out.append(left ? text + spaces : spaces + text);
  }

  private static String character(Object value) {
    String text = Text.of(value);
    if (text != null && Text.length(text) == 1) {
      return text;
    }
    BigInteger number = Values.integer(value);
    if (number == null) {
      throw JinjaException.failure("%c requires int or char");
    }
    if (number.signum() < 0 || number.bitLength() > 21 || number.intValue() > 0x10ffff) {
      throw JinjaException.failure("%c arg not in range(0x110000)");
    }
    return Character.toString(number.intValue());
  }

  private static BigInteger whole(char type, Object value) {
    BigInteger number = Values.integer(value);
    if (number != null) {
      return number;
    }
    if (value instanceof Double real && "diu".indexOf(type) >= 0 && Double.isFinite(real)) {
      return new BigDecimal(real).toBigInteger();
    }
    throw value instanceof Undefined undefined
        ? undefined.failure()
        : JinjaException.failure(
            "%" + type + " format: a number is required, not " + Values.typeName(value));
  }

  private static double real(Object value) {
    if (Values.isNumber(value)) {
      return Arithmetic.toDouble(value);
    }
    throw value instanceof Undefined undefined
        ? undefined.failure()
        : JinjaException.failure("must be real number, not " + Values.typeName(value));
  }
}
