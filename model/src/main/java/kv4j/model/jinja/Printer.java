package kv4j.model.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;

/** Python's {@code str} and {@code repr}. */
final class Printer {
  private static final int MOST_DIGITS = 4300;
  private static final int MOST_BITS = 14_284; // of a number of 4300 digits

  private final StringBuilder out = new StringBuilder();

  private Printer() {}

  /** The value as text: as printing it, {@code ~} and {@code string} have it. */
  static String str(Object value) {
    String text = Text.of(value);
    return text != null ? text : value instanceof Undefined ? "" : repr(value);
  }

  static String repr(Object value) {
    Printer printer = new Printer();
    printer.write(value);
    return printer.out.toString();
  }

  private void write(Object value) {
    Budget.spend(1);
    if (out.length() > Budget.LONGEST_TEXT) {
      Budget.spendText(out.length());
    }
    if (value == null) {
      out.append("None");
    } else if (value instanceof Boolean flag) {
      out.append(flag ? "True" : "False");
    } else if (value instanceof String text) {
      quote(text);
    } else if (value instanceof BigInteger number) {
      out.append(decimal(number));
    } else if (value instanceof Double number) {
      out.append(decimal(number));
    } else if (value instanceof Tuple tuple) {
      out.append('(');
      list(tuple.items());
      out.append(tuple.items().size() == 1 ? ",)" : ")");
    } else if (value instanceof Dict dict) {
      out.append('{');
      String separator = "";
      for (Dict.Entry entry : dict.entries()) {
        out.append(separator);
        write(entry.key());
        out.append(": ");
        write(entry.value());
        separator = ", ";
      }
      out.append('}');
    } else if (value instanceof TemplateObject object) {
      out.append(object.repr());
    } else {
      out.append('[');
      list(Values.items(value));
      out.append(']');
    }
  }

  private void list(List<Object> items) {
    for (int i = 0; i < items.size(); i++) {
      out.append(i == 0 ? "" : ", ");
      write(items.get(i));
    }
  }

  private void quote(String text) {
    Budget.spendText(out.length() + (long) text.length());
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    text.codePoints()
        .forEach(
            point -> {
              switch (point) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                  if (point == quote) {
                    out.append('\\').append(quote);
                  } else if (isPrintable(point)) {
                    out.appendCodePoint(point);
                  } else {
                    out.append(escape(point));
                  }
                }
              }
            });
    out.append(quote);
  }

  /** A character as an escape of Python's: two, four or eight hexadecimal digits. */
  static String escape(int point) {
    return point < 0x100
        ? String.format("\\x%02x", point)
        : point < 0x10000 ? String.format("\\u%04x", point) : String.format("\\U%08x", point);
  }

  /** Python's {@code ascii}: as {@code repr}, with all beyond ASCII escaped. */
  static String ascii(Object value) {
    StringBuilder ascii = new StringBuilder();
    repr(value)
        .codePoints()
        .forEach(
            point -> {
              if (point < 0x80) {
                ascii.append((char) point);
              } else {
                ascii.append(escape(point));
              }
            });
    return ascii.toString();
  }

  static boolean isPrintable(int point) {
    if (point == ' ') {
      return true;
    }
    return switch (Character.getType(point)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }

  static String decimal(BigInteger number) {
    if (number.bitLength() >= MOST_BITS && number.abs().toString().length() > MOST_DIGITS) {
      throw JinjaException.failure("a number of more than " + MOST_DIGITS + " digits is printed");
    }
    return number.toString();
  }

  /** The shortest decimal number that means the same double, written as Python does. */
  static String decimal(double number) {
    if (Double.isNaN(number)) {
      return "nan";
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? "inf" : "-inf";
    }
    String sign = Math.copySign(1, number) < 0 ? "-" : "";
    if (number == 0) {
      return sign + "0.0";
    }
    BigDecimal shortest = shortest(Math.abs(number));
    int exponent = shortest.precision() - shortest.scale() - 1;
    if (exponent < -4 || exponent >= 16) {
      String digits = shortest.unscaledValue().toString();
      String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
      return sign + digits.charAt(0) + fraction + exponent(exponent);
    }
    String plain = shortest.toPlainString();
    return sign + plain + (plain.indexOf('.') < 0 ? ".0" : "");
  }

  /** An exponent as Python writes it: with its sign and at least two digits. */
  static String exponent(int exponent) {
    return (exponent < 0 ? "e-" : "e+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
  }

  private static BigDecimal shortest(double number) {
    // Java's own toString is not always the shortest before JDK 19.
    BigDecimal exact = new BigDecimal(number);
    for (int digits = 1; digits < 17; digits++) {
      BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
      if (rounded.doubleValue() == number) {
        return rounded.stripTrailingZeros();
      }
    }
    return exact.round(new MathContext(17, RoundingMode.HALF_EVEN)).stripTrailingZeros();
  }
}
