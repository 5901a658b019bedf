package kv4j.model.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;

/** Python's arithmetic operators. */
final class Arithmetic {
  private static final int MOST_BITS = 1 << 17;

  private Arithmetic() {}

  /** {@code a operator b}. */
  static Object binary(String operator, Object a, Object b) {
    if (operator.equals("%") && Text.of(a) != null) {
      return PercentFormat.format(a, b);
    }
    if (a instanceof Undefined undefined) {
      throw undefined.failure();
    }
    if (b instanceof Undefined undefined) {
      throw undefined.failure();
    }
    if (Values.isNumber(a) && Values.isNumber(b)) {
      BigInteger left = Values.integer(a);
      BigInteger right = Values.integer(b);
      return left != null && right != null
          ? whole(operator, left, right)
          : real(operator, toDouble(a), toDouble(b));
    }
    if (operator.equals("+")) {
      return concatenate(a, b);
    }
    if (operator.equals("*")) {
      if (Values.integer(b) != null) {
        return repeat(a, Values.integer(b), b);
      }
      if (Values.integer(a) != null) {
        return repeat(b, Values.integer(a), a);
      }
    }
    throw unsupported(operator, a, b);
  }

  static Object negate(Object value) {
    BigInteger number = Values.integer(value);
    return number != null ? number.negate() : (Object) (-real("-", value));
  }

  static Object plus(Object value) {
    BigInteger number = Values.integer(value);
    return number != null ? number : (Object) real("+", value);
  }

  private static double real(String operator, Object value) {
    if (value instanceof Double number) {
      return number;
    }
    throw value instanceof Undefined undefined
        ? undefined.failure()
        : JinjaException.failure(
            "bad operand type for unary " + operator + ": '" + Values.typeName(value) + "'");
  }

  /** A number as a double. */
  static double toDouble(Object value) {
    BigInteger number = Values.integer(value);
    if (number == null) {
      return (Double) value;
    }
    double converted = number.doubleValue();
    if (Double.isInfinite(converted)) {
      throw JinjaException.failure("int too large to convert to float");
    }
    return converted;
  }

  private static Object whole(String operator, BigInteger a, BigInteger b) {
    if ("/ // %".contains(operator) && b.signum() == 0) {
      throw divisionByZero();
    }
    return switch (operator) {
      case "+" -> a.add(b);
      case "-" -> a.subtract(b);
      case "*" -> limited(a.bitLength() + (long) b.bitLength(), () -> a.multiply(b));
      case "/" -> quotient(a, b);
      case "//" -> a.subtract(modulo(a, b)).divide(b);
      case "%" -> modulo(a, b);
      default ->
          b.signum() < 0
              ? real("**", toDouble(a), toDouble(b))
              : limited(
                  a.abs().compareTo(BigInteger.ONE) <= 0
                      ? 1
                      : b.bitLength() > 31 ? Long.MAX_VALUE : a.bitLength() * b.longValueExact(),
                  () -> power(a, b));
    };
  }

  private static BigInteger power(BigInteger a, BigInteger b) {
    boolean odd = b.testBit(0);
    return a.abs().compareTo(BigInteger.ONE) > 0
        ? a.pow(b.intValueExact())
        : b.signum() == 0 ? BigInteger.ONE : a.signum() < 0 && !odd ? BigInteger.ONE : a;
  }

  private static BigInteger limited(long bits, java.util.function.Supplier<BigInteger> result) {
    if (bits > MOST_BITS) {
      throw JinjaException.refused("it makes a number of more than " + MOST_BITS + " bits");
    }
    Budget.spend(bits / 64);
    return result.get();
  }

  private static BigInteger modulo(BigInteger a, BigInteger b) {
    BigInteger remainder = a.remainder(b);
    return remainder.signum() != 0 && remainder.signum() != b.signum()
        ? remainder.add(b)
        : remainder;
  }

  private static Double quotient(BigInteger a, BigInteger b) {
    double quotient =
        a.bitLength() <= 53 && b.bitLength() <= 53
            ? a.doubleValue() / b.doubleValue()
            : new BigDecimal(a).divide(new BigDecimal(b), new MathContext(60)).doubleValue();
    if (Double.isInfinite(quotient)) {
      throw JinjaException.failure("integer division result too large for a float");
    }
    return a.signum() == 0 ? Math.copySign(0, b.signum()) : quotient;
  }

  private static Double real(String operator, double a, double b) {
    if ("/ // %".contains(operator) && b == 0) {
      throw divisionByZero();
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> floorDivide(a, b);
      case "%" -> modulo(a, b);
      default -> power(a, b);
    };
  }

  private static double modulo(double a, double b) {
    double remainder = a % b;
    if (remainder == 0) {
      return Math.copySign(0, b);
    }
    return remainder < 0 != b < 0 ? remainder + b : remainder;
  }

  private static double floorDivide(double a, double b) {
    double remainder = a % b;
    double quotient = (a - remainder) / b;
    if (remainder != 0 && b < 0 != remainder < 0) {
      quotient -= 1;
    }
    if (quotient == 0) {
      return Math.copySign(0, a / b);
    }
    double floor = Math.floor(quotient);
    return quotient - floor > 0.5 ? floor + 1 : floor;
  }

  private static double power(double a, double b) {
    if (a == 0 && b < 0) {
      throw JinjaException.failure("0.0 cannot be raised to a negative power");
    }
    if (a == 1 || b == 0) {
      return 1;
    }
    if (a == -1 && Double.isInfinite(b)) {
      return 1;
    }
    if (a < 0 && b != Math.rint(b) && !Double.isInfinite(a)) {
      throw JinjaException.refused("it computes a complex number");
    }
    double power = Math.pow(a, b);
    if (Double.isInfinite(power) && !Double.isInfinite(a) && !Double.isInfinite(b)) {
      throw JinjaException.failure("the result of ** is too large");
    }
    return power;
  }

  private static Object concatenate(Object a, Object b) {
    String left = Text.of(a);
    String right = Text.of(b);
    if (left != null && right != null) {
      boolean markup = a instanceof Markup || b instanceof Markup;
      String begin = markup ? Markup.escape(a).text() : left;
      String end = markup ? Markup.escape(b).text() : right;
      Budget.spendText((long) begin.length() + end.length());
      return markup ? new Markup(begin + end) : begin + end;
    }
    if (a instanceof List && b instanceof List || a instanceof Tuple && b instanceof Tuple) {
      List<Object> joined = new ArrayList<>(Values.items(a));
      joined.addAll(Values.items(b));
      Budget.spend(joined.size());
      return a instanceof Tuple ? new Tuple(joined) : joined;
    }
    if (left != null) {
      throw JinjaException.failure(
          "can only concatenate str (not \"" + Values.typeName(b) + "\") to str");
    }
    throw unsupported("+", a, b);
  }

  private static Object repeat(Object value, BigInteger times, Object number) {
    int count = Values.index(times);
    String text = Text.of(value);
    if (text != null) {
      String repeated = Text.repeat(text, count);
      return value instanceof Markup ? new Markup(repeated) : repeated;
    }
    List<Object> items = Values.items(value);
    if (items == null) {
      throw unsupported("*", value, number);
    }
    Budget.spend(Math.max(0L, count) * items.size());
    List<Object> repeated = new ArrayList<>();
    for (int i = 0; i < count && !items.isEmpty(); i++) {
      repeated.addAll(items);
    }
    return value instanceof Tuple ? new Tuple(repeated) : repeated;
  }

  private static JinjaException unsupported(String operator, Object a, Object b) {
    return JinjaException.failure(
        "unsupported operand type(s) for "
            + operator
            + ": '"
            + Values.typeName(a)
            + "' and '"
            + Values.typeName(b)
            + "'");
  }

  private static JinjaException divisionByZero() {
    return JinjaException.failure("division by zero");
  }
}
