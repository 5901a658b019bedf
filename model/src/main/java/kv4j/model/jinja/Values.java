package kv4j.model.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * What Python's values do. They are: {@code null} for None, {@link Boolean}, {@link BigInteger},
 * {@link Double}, {@link String}, {@link List}, {@link Tuple}, {@link Dict}, and {@link
 * TemplateObject}s. Nothing changes a list or dict once a template can see it.
 */
final class Values {
  private Values() {}

  /**
   * A Java value as a template sees it.
   *
   * @throws IllegalArgumentException if it is none that a template can see
   */
  static Object of(Object value) {
    if (value == null
        || value instanceof Boolean
        || value instanceof BigInteger
        || value instanceof Double
        || value instanceof String
        || value instanceof TemplateObject) {
      return value;
    }
    if (value instanceof Byte
        || value instanceof Short
        || value instanceof Integer
        || value instanceof Long) {
      return BigInteger.valueOf(((Number) value).longValue());
    }
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    if (value instanceof CharSequence || value instanceof Enum) {
      return value.toString();
    }
    if (value instanceof Map<?, ?> map) {
      Dict dict = new Dict();
      map.forEach((key, item) -> dict.put(of(key), of(item)));
      return dict;
    }
    if (value instanceof Iterable<?> items) {
      List<Object> list = new ArrayList<>();
      items.forEach(item -> list.add(of(item)));
      return list;
    }
    throw new IllegalArgumentException("a template cannot see a " + value.getClass().getName());
  }

  static String typeName(Object value) {
    if (value == null) {
      return "NoneType";
    }
    if (value instanceof TemplateObject object) {
      return object.typeName();
    }
    return value instanceof Boolean
        ? "bool"
        : value instanceof BigInteger
            ? "int"
            : value instanceof Double
                ? "float"
                : value instanceof String
                    ? "str"
                    : value instanceof List ? "list" : value instanceof Tuple ? "tuple" : "dict";
  }

  static boolean truth(Object value) {
    if (value instanceof Boolean flag) {
      return flag;
    }
    if (value instanceof String text) {
      return !text.isEmpty();
    }
    if (value instanceof TemplateObject object) {
      return object.truth();
    }
    if (value instanceof BigInteger number) {
      return number.signum() != 0;
    }
    if (value instanceof Double number) {
      return number != 0;
    }
    if (value instanceof Dict dict) {
      return dict.size() > 0;
    }
    List<Object> items = items(value);
    return items != null && !items.isEmpty();
  }

  /** The items of a list or tuple, or null of anything else. */
  static List<Object> items(Object value) {
    if (value instanceof List<?> list) {
      @SuppressWarnings("unchecked")
      List<Object> items = (List<Object>) list;
      return items;
    }
    return value instanceof Tuple tuple ? tuple.items() : null;
  }

  /** A whole number or bool as a number, or null of anything else. */
  static BigInteger integer(Object value) {
    return value instanceof BigInteger number
        ? number
        : value instanceof Boolean flag ? (flag ? BigInteger.ONE : BigInteger.ZERO) : null;
  }

  static BigInteger integer(long value) {
    return BigInteger.valueOf(value);
  }

  static boolean isNumber(Object value) {
    return value instanceof BigInteger || value instanceof Double || value instanceof Boolean;
  }

  /**
   * A whole number that fits an int, cut off at its ends.
   *
   * @throws JinjaException if it is none
   */
  static int index(Object value) {
    BigInteger number = integer(value);
    if (number == null) {
      throw value instanceof Undefined undefined
          ? undefined.failure()
          : JinjaException.failure(
              "'" + typeName(value) + "' object cannot be interpreted as an integer");
    }
    return number.bitLength() < 32
        ? number.intValue()
        : number.signum() < 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE;
  }

  /**
   * An option that Python takes as an int.
   *
   * @throws JinjaException if it is none
   */
  static boolean flag(Object value) {
    return index(value) != 0;
  }

  /** Python's {@code len}. */
  static int length(Object value) {
    String text = Text.of(value);
    List<Object> items = items(value);
    if (text != null) {
      return Text.length(text);
    }
    if (items != null) {
      return items.size();
    }
    if (value instanceof Dict dict) {
      return dict.size();
    }
    if (value instanceof DictView view) {
      return view.dict().size();
    }
    if (value instanceof Range range) {
      return range.list().size();
    }
    if (value instanceof Undefined) {
      return 0;
    }
    if (value instanceof Loop loop) {
      return loop.length();
    }
    throw JinjaException.failure("object of type '" + typeName(value) + "' has no len()");
  }

  static boolean isIterable(Object value) {
    return Text.of(value) != null
        || items(value) != null
        || value instanceof Dict
        || value instanceof DictView
        || value instanceof Range
        || value instanceof Generator
        || value instanceof Undefined
        || value instanceof Loop;
  }

  /** Goes through the value's items; characters of a text, keys of a dict. */
  static Iterator<Object> iterate(Object value) {
    return value instanceof Generator generator ? generator.iterator() : list(value).iterator();
  }

  /** The value's items in a list, which may be the value itself. */
  static List<Object> list(Object value) {
    List<Object> items = items(value);
    if (items != null) {
      return items;
    }
    if (Text.of(value) != null) {
      return Text.characters(Text.of(value));
    }
    if (value instanceof Dict dict) {
      Budget.spend(dict.size());
      return dict.keys();
    }
    if (value instanceof DictView view) {
      Budget.spend(view.dict().size());
      return view.list();
    }
    if (value instanceof Range range) {
      return range.list();
    }
    if (value instanceof Generator generator) {
      List<Object> list = new ArrayList<>();
      while (generator.iterator().hasNext()) {
        Budget.spend(1);
        list.add(generator.iterator().next());
      }
      return list;
    }
    if (value instanceof Undefined) {
      return List.of();
    }
    throw JinjaException.failure("'" + typeName(value) + "' object is not iterable");
  }

  /** Python's {@code ==}. */
  static boolean equal(Object a, Object b) {
    Budget.spend(1);
    if (isNumber(a) && isNumber(b)) {
      return compareNumbers(a, b) == 0;
    }
    String text = Text.of(a);
    if (text != null) {
      return text.equals(Text.of(b));
    }
    if (a == b) {
      return true;
    }
    if (a instanceof Undefined) {
      return b instanceof Undefined;
    }
    if (a instanceof List<?> && b instanceof List<?> || a instanceof Tuple && b instanceof Tuple) {
      List<Object> left = items(a);
      List<Object> right = items(b);
      return left.size() == right.size() && firstDifference(left, right) == left.size();
    }
    if (a instanceof Dict left && b instanceof Dict right) {
      return left.size() == right.size()
          && left.entries().stream()
              .allMatch(
                  entry -> {
                    Object other = right.get(entry.key());
                    return other != Lookup.ABSENT && same(entry.value(), other);
                  });
    }
    if (a instanceof Range left && b instanceof Range right) {
      return equal(left.list(), right.list());
    }
    if (a instanceof DictView left
        && b instanceof DictView right
        && left.part() != DictView.Part.VALUES
        && right.part() != DictView.Part.VALUES) {
      return left.dict().size() == right.dict().size()
          && left.list().stream().allMatch(item -> contains(right, item));
    }
    return false;
  }

  /** Equal, or the same object: how Python looks for items. */
  static boolean same(Object a, Object b) {
    return a == b || equal(a, b);
  }

  private static int firstDifference(List<Object> a, List<Object> b) {
    int shared = Math.min(a.size(), b.size());
    for (int i = 0; i < shared; i++) {
      if (!same(a.get(i), b.get(i))) {
        return i;
      }
    }
    return shared;
  }

  /** The order of two numbers, exactly; 2 if one is no number (NaN). */
  static int compareNumbers(Object a, Object b) {
    BigInteger left = integer(a);
    BigInteger right = integer(b);
    if (left != null && right != null) {
      return left.compareTo(right);
    }
    double x = left == null ? (Double) a : left.doubleValue();
    double y = right == null ? (Double) b : right.doubleValue();
    if (Double.isNaN(x) || Double.isNaN(y)) {
      return 2;
    }
    if (left == null && right == null
        || left == null && Double.isInfinite(x)
        || right == null && Double.isInfinite(y)) {
      return x < y ? -1 : x > y ? 1 : 0;
    }
    BigDecimal exactLeft = left == null ? new BigDecimal(x) : new BigDecimal(left);
    return exactLeft.compareTo(right == null ? new BigDecimal(y) : new BigDecimal(right));
  }

  /** Python's {@code <}, {@code <=}, {@code >} or {@code >=}. */
  static boolean ordered(String operator, Object a, Object b) {
    Budget.spend(1);
    if (isNumber(a) && isNumber(b)) {
      int order = compareNumbers(a, b);
      return order != 2 && holds(operator, order);
    }
    if (Text.of(a) != null && Text.of(b) != null) {
      return holds(operator, Text.compare(Text.of(a), Text.of(b)));
    }
    if (a instanceof List && b instanceof List || a instanceof Tuple && b instanceof Tuple) {
      List<Object> left = items(a);
      List<Object> right = items(b);
      int at = firstDifference(left, right);
      return at < left.size() && at < right.size()
          ? ordered(operator, left.get(at), right.get(at))
          : holds(operator, Integer.compare(left.size(), right.size()));
    }
    if (a instanceof Undefined undefined) {
      throw undefined.failure();
    }
    if (b instanceof Undefined undefined) {
      throw undefined.failure();
    }
    throw JinjaException.failure(
        "'"
            + operator
            + "' not supported between instances of '"
            + typeName(a)
            + "' and '"
            + typeName(b)
            + "'");
  }

  private static boolean holds(String operator, int order) {
    return switch (operator) {
      case "<" -> order < 0;
      case "<=" -> order <= 0;
      case ">" -> order > 0;
      default -> order >= 0;
    };
  }

  /** Python's {@code item in container}. */
  static boolean contains(Object container, Object item) {
    String text = Text.of(container);
    if (text != null) {
      if (Text.of(item) == null) {
        throw JinjaException.failure(
            "'in <string>' requires string as left operand, not " + typeName(item));
      }
      Budget.spend(text.length() / 8);
      return text.contains(Text.of(item));
    }
    if (container instanceof Dict dict) {
      return dict.has(item);
    }
    if (container instanceof DictView view && view.part() == DictView.Part.KEYS) {
      return view.dict().has(item);
    }
    if (!isIterable(container)) {
      throw JinjaException.failure(
          "argument of type '" + typeName(container) + "' is not iterable");
    }
    for (Iterator<Object> items = iterate(container); items.hasNext(); ) {
      if (same(items.next(), item)) {
        return true;
      }
    }
    return false;
  }

  /** A sorted copy, stable as Python's; compares with {@code <} alone. */
  static List<Object> sorted(List<Object> items, List<Object> keys, boolean descending) {
    Integer[] order = new Integer[items.size()];
    for (int i = 0; i < order.length; i++) {
      order[i] = i;
    }
    mergeSort(order, new Integer[order.length], 0, order.length, keys, descending);
    List<Object> sorted = new ArrayList<>(order.length);
    for (Integer at : order) {
      sorted.add(items.get(at));
    }
    return sorted;
  }

  // Java's own sort throws where an order contradicts itself, as that of NaN does.
  private static void mergeSort(
      Integer[] order, Integer[] spare, int from, int to, List<Object> keys, boolean descending) {
    if (to - from < 2) {
      return;
    }
    int middle = (from + to) >>> 1;
    mergeSort(order, spare, from, middle, keys, descending);
    mergeSort(order, spare, middle, to, keys, descending);
    System.arraycopy(order, from, spare, from, to - from);
    int left = from;
    int right = middle;
    for (int at = from; at < to; at++) {
      boolean takeRight =
          left == middle
              || right < to
                  && (descending
                      ? ordered("<", keys.get(spare[left]), keys.get(spare[right]))
                      : ordered("<", keys.get(spare[right]), keys.get(spare[left])));
      order[at] = takeRight ? spare[right++] : spare[left++];
    }
  }
}
