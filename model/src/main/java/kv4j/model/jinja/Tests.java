package kv4j.model.jinja;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/** Jinja's tests by name: what follows {@code is}. */
final class Tests {
  /** Says whether something holds of a value. */
  @FunctionalInterface
  interface Test {
    boolean holds(Object value, Arguments arguments);
  }

  private static final Map<String, Test> ALL = new HashMap<>();

  static {
    one("defined", value -> !(value instanceof Undefined));
    one("undefined", value -> value instanceof Undefined);
    one("none", value -> value == null);
    one("boolean", value -> value instanceof Boolean);
    one("true", value -> Boolean.TRUE.equals(value));
    one("false", value -> Boolean.FALSE.equals(value));
    one("integer", value -> value instanceof BigInteger);
    one("float", value -> value instanceof Double);
    one("number", Values::isNumber);
    one("string", value -> Text.of(value) != null);
    one("mapping", value -> value instanceof Dict);
    one("iterable", Values::isIterable);
    one("sequence", Tests::isSequence);
    one("callable", value -> value instanceof Callable || value instanceof Undefined);
    one("escaped", value -> value instanceof Markup);
    one("lower", value -> StringMethods.is(Printer.str(value), "islower"));
    one("upper", value -> StringMethods.is(Printer.str(value), "isupper"));
    one("odd", value -> isRemainder(value, BigInteger.TWO, BigInteger.ONE));
    one("even", value -> isRemainder(value, BigInteger.TWO, BigInteger.ZERO));
    two("divisibleby", "num", (value, by) -> isRemainder(value, by, BigInteger.ZERO));
    two("sameas", "other", Tests::isSame);
    two("in", "seq", (value, container) -> Values.contains(container, value));
    one("filter", value -> Text.of(value) != null && Filters.exists(Text.of(value)));
    one("test", value -> Text.of(value) != null && exists(Text.of(value)));
    operator(Values::equal, "==", "eq", "equalto");
    operator((a, b) -> !Values.equal(a, b), "!=", "ne");
    operator((a, b) -> Values.ordered("<", a, b), "<", "lt", "lessthan");
    operator((a, b) -> Values.ordered("<=", a, b), "<=", "le");
    operator((a, b) -> Values.ordered(">", a, b), ">", "gt", "greaterthan");
    operator((a, b) -> Values.ordered(">=", a, b), ">=", "ge");
  }

  private Tests() {}

  private static void one(String name, Predicate<Object> test) {
    ALL.put(
        name,
        (value, arguments) -> {
          arguments.bind(name, 0);
          return test.test(value);
        });
  }

  private static void two(String name, String other, BiPredicate<Object, Object> test) {
    ALL.put(name, (value, arguments) -> test.test(value, arguments.bind(name, 1, other)[0]));
  }

  private static void operator(BiPredicate<Object, Object> test, String... names) {
    for (String name : names) {
      ALL.put(name, (value, arguments) -> test.test(value, arguments.only(name, 1, 1).get(0)));
    }
  }

  static boolean exists(String name) {
    return ALL.containsKey(name);
  }

  static Test named(String name) {
    Test test = ALL.get(name);
    if (test == null) {
      throw JinjaException.failure(unknown(name));
    }
    return test;
  }

  static String unknown(String name) {
    return "there is no test named '" + name + "'";
  }

  private static boolean isSequence(Object value) {
    return Text.of(value) != null
        || Values.items(value) != null
        || value instanceof Dict
        || value instanceof Range
        || value instanceof Undefined;
  }

  private static boolean isRemainder(Object value, Object divisor, BigInteger remainder) {
    return Values.equal(Arithmetic.binary("%", value, divisor), remainder);
  }

  /** The same object: of what cannot be told apart in Java, equal and of one type. */
  private static boolean isSame(Object a, Object b) {
    boolean simple =
        a instanceof String
            || a instanceof Boolean
            || a instanceof BigInteger
            || a instanceof Double;
    return a == b || simple && a.equals(b);
  }
}
