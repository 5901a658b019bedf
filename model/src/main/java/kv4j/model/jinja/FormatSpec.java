package kv4j.model.jinja;

import java.math.BigInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's format specification: how {@code format} writes one value, such as {@code >8.2f}. */
final class FormatSpec {
  private static final Pattern SYNTAX =
      Pattern.compile(
          "(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\\d+)?([,_])?(?:\\.(\\d+))?(.)?", Pattern.DOTALL);

  private final String fill;
  private final char align;
  private final String sign;
  private final boolean alternate;
  private final long width;
  private final String grouping;
  private final int precision;
  private final char type;

  private FormatSpec(Matcher spec, boolean number) {
    boolean zero = spec.group(6) != null;
    fill = spec.group(1) != null ? spec.group(1) : zero && spec.group(2) == null ? "0" : " ";
    align = spec.group(2) != null ? spec.group(2).charAt(0) : number ? (zero ? '=' : '>') : '<';
    sign = spec.group(3) == null ? "" : spec.group(3);
    alternate = spec.group(5) != null;
    width = count(spec.group(7), 0);
    grouping = spec.group(8) == null ? "" : spec.group(8);
    precision = count(spec.group(9), -1);
    type = spec.group(10) == null ? 0 : spec.group(10).charAt(0);
    if (spec.group(4) != null) {
      throw JinjaException.refused("the format option 'z' is not supported");
    }
  }

  private static int count(String digits, int otherwise) {
    if (digits != null && digits.length() > 9) {
      throw JinjaException.failure("Too many decimal digits in format string");
    }
    return digits == null ? otherwise : Integer.parseInt(digits);
  }

  static String apply(Object value, String spec) {
    if (spec.isEmpty()) {
      return Printer.str(value);
    }
    boolean number = Values.isNumber(value);
    if (!number && Text.of(value) == null) {
      throw JinjaException.failure(
          "unsupported format string passed to " + Values.typeName(value) + ".__format__");
    }
    Matcher matcher = SYNTAX.matcher(spec);
    if (!matcher.matches()) {
      throw JinjaException.failure("Invalid format specifier");
    }
    FormatSpec format = new FormatSpec(matcher, number);
    if (!number) {
      return format.text(Text.of(value));
    }
    BigInteger whole = Values.integer(value);
    return whole != null && "\0bcdnoxX".indexOf(format.type) >= 0
        ? format.whole(whole)
        : format.real(Arithmetic.toDouble(value));
  }

  private String text(String text) {
    if (type != 0 && type != 's') {
      throw unknown("str");
    }
    if (!sign.isEmpty() || alternate || align == '=' || !grouping.isEmpty()) {
      throw JinjaException.failure("a sign, '=', '#' or ',' does not go with a text");
    }
    int length = Text.length(text);
    return pad("", precision >= 0 && precision < length ? Text.part(text, 0, precision) : text);
  }

  private String whole(BigInteger value) {
    if (precision >= 0) {
      throw JinjaException.failure("Precision not allowed in integer format specifier");
    }
    if (type == 'c') {
      if (!sign.isEmpty() || alternate) {
        throw JinjaException.failure("a sign or '#' does not go with 'c'");
      }
      if (value.signum() < 0 || value.bitLength() > 20 && value.intValue() > 0x10ffff) {
        throw JinjaException.failure("%c arg not in range(0x110000)");
      }
      return pad("", Character.toString(value.intValue()));
    }
    boolean decimal = type == 0 || type == 'd' || type == 'n';
    if (grouping.equals(",") && !decimal || !grouping.isEmpty() && type == 'n') {
      throw JinjaException.failure("Cannot specify '" + grouping + "' with '" + type + "'.");
    }
    String prefix = alternate && !decimal ? "0" + type : "";
    return pad(
        sign(value.signum() < 0) + prefix,
        group(NumberFormat.whole(value, type), "", decimal ? 3 : 4, prefix, value.signum() < 0));
  }

  private String real(double value) {
    if ("\0eEfFgGn%".indexOf(type) < 0) {
      throw unknown("float");
    }
    if (!grouping.isEmpty() && type == 'n') {
      throw JinjaException.failure("Cannot specify '" + grouping + "' with 'n'.");
    }
    boolean negative = Math.copySign(1, value) < 0 && !Double.isNaN(value);
    String digits;
    if (type == 0) {
      digits =
          precision < 0 ? Printer.decimal(Math.abs(value)) : NumberFormat.plain(value, precision);
    } else if (type == '%') {
      digits = NumberFormat.real(value * 100, 'f', precision < 0 ? 6 : precision, alternate) + "%";
    } else {
      digits =
          NumberFormat.real(
              value, type == 'n' ? 'g' : type, precision < 0 ? 6 : precision, alternate);
    }
    int end = 0;
    while (end < digits.length() && Character.isDigit(digits.charAt(end))) {
      end++;
    }
    return pad(
        sign(negative), group(digits.substring(0, end), digits.substring(end), 3, "", negative));
  }

  private String sign(boolean negative) {
    return negative ? "-" : sign.equals("-") ? "" : sign;
  }

  /** Puts separators between the digits, and between the zeros that fill up the width. */
  private String group(String digits, String rest, int size, String prefix, boolean negative) {
    if (grouping.isEmpty() || digits.isEmpty()) {
      return digits + rest;
    }
    long room =
        align == '=' && fill.equals("0")
            ? width - rest.length() - prefix.length() - sign(negative).length()
            : 0;
    StringBuilder grouped = new StringBuilder();
    Budget.spendText(Math.max(room, digits.length() * 2L));
    for (int i = 0; i < digits.length() || grouped.length() < room; i++) {
      if (i > 0 && i % size == 0) {
        grouped.append(grouping);
      }
      grouped.append(i < digits.length() ? digits.charAt(digits.length() - 1 - i) : '0');
    }
    return grouped.reverse() + rest;
  }

  private String pad(String sign, String digits) {
    long missing = Math.max(0, width - sign.length() - Text.length(digits));
    long before =
        switch (align) {
          case '<' -> 0;
          case '^' -> missing / 2;
          default -> missing;
        };
    String left = Text.repeat(fill, before);
    String right = Text.repeat(fill, missing - before);
    return (align == '=' ? sign + left : left + sign) + digits + right;
  }

  private JinjaException unknown(String typeName) {
    return JinjaException.failure(
        "Unknown format code '" + type + "' for object of type '" + typeName + "'");
  }
}
