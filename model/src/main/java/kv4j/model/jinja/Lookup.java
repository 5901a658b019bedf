package kv4j.model.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Attributes, items and slices of values, as Jinja's sandbox looks them up. */
final class Lookup {
  /** Stands for what is not there, where None would be a value. */
  static final Object ABSENT = new Object();

  /** What would change a list or dict, which the sandbox forbids. */
  private static final Set<String> LIST_CHANGES =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");

  private static final Set<String> DICT_CHANGES =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  private Lookup() {}

  /** {@code object.name}: an attribute, or else an item of that name. */
  static Object attribute(Object object, String name) {
    if (object instanceof Undefined undefined) {
      throw undefined.failure();
    }
    Object attribute = attributeOnly(object, name);
    if (attribute != ABSENT) {
      return attribute;
    }
    Object item = object instanceof Dict dict ? dict.get(name) : ABSENT;
    return item == ABSENT ? Undefined.of(object, name) : item;
  }

  /** {@code object[key]}: an item, or else an attribute of that name. */
  static Object item(Object object, Object key) {
    if (object instanceof Undefined undefined) {
      throw undefined.failure();
    }
    Object item = itemOnly(object, key);
    if (item == ABSENT && Text.of(key) != null) {
      item = attributeOnly(object, Text.of(key));
    }
    return item == ABSENT ? Undefined.of(object, key) : item;
  }

  private static Object itemOnly(Object object, Object key) {
    if (object instanceof Dict dict) {
      return key instanceof List || key instanceof Dict || key instanceof DictView
          ? ABSENT
          : dict.get(key);
    }
    BigInteger number = Values.integer(key);
    String text = Text.of(object);
    List<Object> items = object instanceof Range range ? range.list() : Values.items(object);
    if (number == null || text == null && items == null) {
      return ABSENT;
    }
    int length = text != null ? Text.length(text) : items.size();
    BigInteger at = number.signum() < 0 ? number.add(Values.integer(length)) : number;
    if (at.signum() < 0 || at.compareTo(Values.integer(length)) >= 0) {
      return ABSENT;
    }
    int index = at.intValueExact();
    if (items != null) {
      return items.get(index);
    }
    String character = Text.part(text, index, index + 1);
    return object instanceof Markup ? new Markup(character) : character;
  }

  /** An attribute that is no item, or {@link #ABSENT}. */
  static Object attributeOnly(Object object, String name) {
    boolean internal = name.startsWith("__") && name.endsWith("__") && name.length() > 4;
    boolean changes =
        object instanceof List && LIST_CHANGES.contains(name)
            || object instanceof Dict && DICT_CHANGES.contains(name);
    if (internal || changes) {
      return Undefined.unsafe(object, name);
    }
    if (object instanceof TemplateObject && !(object instanceof Markup)) {
      return ((TemplateObject) object).attribute(name);
    }
    if (object instanceof Tuple tuple && tuple.names().contains(name)) {
      return tuple.items().get(tuple.names().indexOf(name));
    }
    Set<String> methods =
        Text.of(object) != null
            ? StringMethods.NAMES
            : object instanceof Dict ? Methods.OF_DICTS : Methods.of(object);
    return methods.contains(name) ? new Methods.Bound(object, name) : ABSENT;
  }

  /** {@code object[start:stop:step]}, with None for what is left out. */
  static Object slice(Object object, Object start, Object stop, Object step) {
    if (object instanceof Undefined undefined) {
      throw undefined.failure();
    }
    String text = Text.of(object);
    List<Object> items = object instanceof Range range ? range.list() : Values.items(object);
    if (text == null && items == null) {
      throw JinjaException.failure(
          object instanceof Dict
              ? "unhashable type: 'slice'"
              : "'" + Values.typeName(object) + "' object is not subscriptable");
    }
    int by = step == null ? 1 : index(step);
    if (by == 0) {
      throw JinjaException.failure("slice step cannot be zero");
    }
    int length = text != null ? Text.length(text) : items.size();
    int from = bound(start, length, by, by < 0 ? length - 1 : 0);
    int to = bound(stop, length, by, by < 0 ? -1 : length);
    if (object instanceof Range range) {
      return range.slice(from, to, by);
    }
    if (text != null) {
      Budget.spendText(text.length());
      String part = slice(text, from, to, by);
      return object instanceof Markup ? new Markup(part) : part;
    }
    List<Object> sliced = new ArrayList<>();
    for (long i = from; by > 0 ? i < to : i > to; i += by) {
      sliced.add(items.get((int) i));
    }
    Budget.spend(sliced.size());
    return object instanceof Tuple ? new Tuple(sliced) : sliced;
  }

  private static String slice(String text, int from, int to, int by) {
    if (by == 1) {
      return from >= to ? "" : Text.part(text, from, to);
    }
    int[] points = text.codePoints().toArray();
    StringBuilder part = new StringBuilder();
    for (long i = from; by > 0 ? i < to : i > to; i += by) {
      part.appendCodePoint(points[(int) i]);
    }
    return part.toString();
  }

  private static int bound(Object given, int length, int step, int otherwise) {
    if (given == null) {
      return otherwise;
    }
    long at = index(given);
    if (at < 0) {
      at += length;
    }
    return (int) Math.max(step < 0 ? -1 : 0, Math.min(at, step < 0 ? length - 1 : length));
  }

  private static int index(Object value) {
    if (Values.integer(value) == null) {
      throw JinjaException.failure("slice indices must be integers or None");
    }
    return Values.index(value);
  }
}
