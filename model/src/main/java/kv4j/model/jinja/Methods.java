package kv4j.model.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Methods and attributes of dicts, lists, tuples and numbers, as far as they change nothing. */
final class Methods {
  static final Set<String> OF_DICTS = Set.of("get", "items", "keys", "values", "copy", "fromkeys");
  private static final Set<String> OF_LISTS = Set.of("count", "index", "copy");
  private static final Set<String> OF_TUPLES = Set.of("count", "index");
  private static final Set<String> OF_INTEGERS =
      Set.of("bit_length", "bit_count", "conjugate", "as_integer_ratio");
  private static final Set<String> OF_FLOATS =
      Set.of("is_integer", "conjugate", "hex", "as_integer_ratio");

  private Methods() {}

  /** A method of a value. */
  record Bound(Object self, String name) implements Callable {
    @Override
    public Object call(Arguments arguments) {
      if (Text.of(self) != null) {
        return StringMethods.call(self, name, arguments);
      }
      if (self instanceof Dict dict) {
        return ofDict(dict, name, arguments);
      }
      List<Object> items = Values.items(self);
      return items != null ? ofItems(items, name, arguments) : ofNumber(self, name, arguments);
    }

    @Override
    public String typeName() {
      return "builtin_function_or_method";
    }
  }

  static Set<String> of(Object value) {
    return value instanceof List
        ? OF_LISTS
        : value instanceof Tuple
            ? OF_TUPLES
            : Values.integer(value) != null
                ? OF_INTEGERS
                : value instanceof Double ? OF_FLOATS : Set.of();
  }

  private static Object ofDict(Dict dict, String name, Arguments arguments) {
    switch (name) {
      case "get" -> {
        List<Object> given = arguments.only("get", 1, 2);
        Object value = dict.get(given.get(0));
        return value != Lookup.ABSENT ? value : given.size() > 1 ? given.get(1) : null;
      }
      case "copy" -> {
        arguments.only("copy", 0, 0);
        return dict;
      }
      case "fromkeys" -> {
        List<Object> given = arguments.only("fromkeys", 1, 2);
        Dict made = new Dict();
        Values.iterate(given.get(0))
            .forEachRemaining(key -> made.put(key, given.size() > 1 ? given.get(1) : null));
        return made;
      }
      default -> {
        arguments.only(name, 0, 0);
        return new DictView(
            name.equals("items")
                ? DictView.Part.ITEMS
                : name.equals("keys") ? DictView.Part.KEYS : DictView.Part.VALUES,
            dict);
      }
    }
  }

  private static Object ofItems(List<Object> items, String name, Arguments arguments) {
    switch (name) {
      case "copy" -> {
        arguments.only("copy", 0, 0);
        return items;
      }
      case "count" -> {
        Object wanted = arguments.only("count", 1, 1).get(0);
        return Values.integer(items.stream().filter(item -> Values.same(item, wanted)).count());
      }
      default -> {
        List<Object> given = arguments.only("index", 1, 3);
        int size = items.size();
        int from = given.size() > 1 ? position(given.get(1), size) : 0;
        int to = given.size() > 2 ? position(given.get(2), size) : size;
        for (int i = from; i < to; i++) {
          if (Values.same(items.get(i), given.get(0))) {
            return Values.integer(i);
          }
        }
        throw JinjaException.failure(Printer.repr(given.get(0)) + " is not in list");
      }
    }
  }

  /** A position that counts from the end if it is negative, within the bounds. */
  static int position(Object value, int size) {
    long at = Values.index(value);
    return (int) Math.max(0, Math.min(size, at < 0 ? at + size : at));
  }

  private static Object ofNumber(Object number, String name, Arguments arguments) {
    arguments.only(name, 0, 0);
    BigInteger whole = Values.integer(number);
    return switch (name) {
      case "bit_length" -> Values.integer(whole.abs().bitLength());
      case "bit_count" -> Values.integer(whole.abs().bitCount());
      case "conjugate" -> whole != null ? whole : number;
      case "is_integer" ->
          number.equals(Math.rint((Double) number)) && !((Double) number).isInfinite();
      default -> throw JinjaException.refused("the method '" + name + "' is not supported");
    };
  }

  /** The items of a value as a new list. */
  static List<Object> copy(Object value) {
    List<Object> copy = new ArrayList<>(Values.list(value));
    Budget.spend(copy.size());
    return copy;
  }
}
