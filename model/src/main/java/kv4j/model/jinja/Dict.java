package kv4j.model.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Python's dict: in order of insertion, with keys that are equal as Python sees it. */
final class Dict {
  /** A key as it was first given, and its value. */
  record Entry(Object key, Object value) {}

  private record TupleKey(List<Object> items) {}

  private enum OtherKey {
    NONE,
    UNDEFINED
  }

  private final Map<Object, Entry> entries = new LinkedHashMap<>();

  static Dict of(Map<String, Object> values) {
    Dict dict = new Dict();
    values.forEach(dict::put);
    return dict;
  }

  /**
   * Stands for the value in a Java map: equal for what Python holds equal.
   *
   * @throws JinjaException if the value cannot be a key
   */
  static Object hashable(Object value) {
    if (value == null) {
      return OtherKey.NONE;
    }
    if (value instanceof Undefined) {
      return OtherKey.UNDEFINED;
    }
    if (value instanceof Boolean flag) {
      return flag ? BigInteger.ONE : BigInteger.ZERO;
    }
    if (value instanceof Double number && number == Math.rint(number) && !number.isInfinite()) {
      return new BigDecimal(number).toBigInteger();
    }
    if (value instanceof Markup markup) {
      return markup.text();
    }
    if (value instanceof Tuple tuple) {
      Budget.spend(tuple.items().size());
      List<Object> items = new ArrayList<>();
      tuple.items().forEach(item -> items.add(hashable(item)));
      return new TupleKey(items);
    }
    if (value instanceof List || value instanceof Dict || value instanceof DictView) {
      throw JinjaException.failure("unhashable type: '" + Values.typeName(value) + "'");
    }
    return value;
  }

  void put(Object key, Object value) {
    entries.merge(
        hashable(key), new Entry(key, value), (old, added) -> new Entry(old.key(), value));
  }

  void putAll(Dict other) {
    other.entries().forEach(entry -> put(entry.key(), entry.value()));
  }

  boolean has(Object key) {
    return entries.containsKey(hashable(key));
  }

  /** The value of the key, or {@link Lookup#ABSENT}. */
  Object get(Object key) {
    Entry entry = entries.get(hashable(key));
    return entry == null ? Lookup.ABSENT : entry.value();
  }

  int size() {
    return entries.size();
  }

  Collection<Entry> entries() {
    return entries.values();
  }

  List<Object> keys() {
    List<Object> keys = new ArrayList<>(size());
    entries().forEach(entry -> keys.add(entry.key()));
    return keys;
  }

  /** The pairs of keys and values, as tuples. */
  List<Object> items() {
    List<Object> items = new ArrayList<>(size());
    entries().forEach(entry -> items.add(Tuple.of(entry.key(), entry.value())));
    return items;
  }

  List<Object> values() {
    List<Object> values = new ArrayList<>(size());
    entries().forEach(entry -> values.add(entry.value()));
    return values;
  }
}
