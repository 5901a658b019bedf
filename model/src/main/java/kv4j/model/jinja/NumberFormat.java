package kv4j.model.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Digits of numbers as Python's format codes ask for them; rounded half to even, exactly. */
final class NumberFormat {
  private static final int MOST_PRECISION = 10_000;

  private NumberFormat() {}

  /**
   * A number without its sign.
   *
   * @param type {@code e}, {@code f} or {@code g}, or one of them as a capital
   * @param keepPoint whether a point stays that nothing follows, and {@code g} keeps its zeros
   */
  static String real(double value, char type, int precision, boolean keepPoint) {
    String digits = real(value, type, precision, keepPoint, false);
    return Character.isUpperCase(type) ? digits.toUpperCase(Locale.ROOT) : digits;
  }

  /** As {@code g}, but with at least one digit after the point: a format without a code. */
  static String plain(double value, int precision) {
    return real(value, 'g', precision, false, true);
  }

  private static String real(
      double value, char type, int precision, boolean keepPoint, boolean pointZero) {
    double size = Math.abs(value);
    if (!Double.isFinite(size)) {
      return Double.isNaN(size) ? "nan" : "inf";
    }
    if (precision > MOST_PRECISION) {
      throw JinjaException.refused("it prints more than " + MOST_PRECISION + " digits");
    }
    Budget.spend(precision);
    BigDecimal exact = new BigDecimal(size);
    return switch (Character.toLowerCase(type)) {
      case 'f' ->
          exact.setScale(precision, RoundingMode.HALF_EVEN).toPlainString()
              + (keepPoint && precision == 0 ? "." : "");
      case 'e' -> scientific(exact, precision + 1, keepPoint, false);
      default -> general(exact, Math.max(1, precision), keepPoint, pointZero);
    };
  }

  private static String scientific(
      BigDecimal exact, int digits, boolean keepPoint, boolean dropZeros) {
    BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
    boolean zero = rounded.signum() == 0;
    int exponent = zero ? 0 : rounded.precision() - rounded.scale() - 1;
    String all = zero ? "0" : rounded.unscaledValue().toString();
    all = all + "0".repeat(Math.max(0, digits - all.length()));
    String fraction = all.substring(1);
    if (dropZeros && !keepPoint) {
      fraction = withoutZeros(fraction);
    }
    return all.charAt(0)
        + (fraction.isEmpty() && !keepPoint ? "" : "." + fraction)
        + Printer.exponent(exponent);
  }

  private static String general(
      BigDecimal exact, int digits, boolean keepPoint, boolean pointZero) {
    BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
    int exponent = rounded.signum() == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
    if (exponent < -4 || exponent >= digits - (pointZero ? 1 : 0)) {
      return scientific(exact, digits, keepPoint, true);
    }
    String plain =
        rounded
            .setScale(Math.max(0, digits - 1 - exponent), RoundingMode.HALF_EVEN)
            .toPlainString();
    if (!keepPoint && plain.indexOf('.') >= 0) {
      plain = withoutZeros(plain);
      plain = plain.endsWith(".") ? plain.substring(0, plain.length() - 1) : plain;
    } else if (keepPoint && plain.indexOf('.') < 0) {
      plain += ".";
    }
    return pointZero && plain.indexOf('.') < 0 ? plain + ".0" : plain;
  }

  private static String withoutZeros(String digits) {
    int end = digits.length();
    while (end > 0 && digits.charAt(end - 1) == '0') {
      end--;
    }
    return digits.substring(0, end);
  }

  /** The size of a whole number in the base that the code {@code b o d x X} names. */
  static String whole(BigInteger value, char type) {
    BigInteger size = value.abs();
    return switch (type) {
      case 'b' -> size.toString(2);
      case 'o' -> size.toString(8);
      case 'x' -> size.toString(16);
      case 'X' -> size.toString(16).toUpperCase(Locale.ROOT);
      default -> Printer.decimal(size);
    };
  }
}
