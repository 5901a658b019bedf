package kv4j.model.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Filters that go through the items of lists, dicts and texts. */
final class SequenceFilters {
  private SequenceFilters() {}

  static void register(Map<String, Filter> filters) {
    filters.put("attr", SequenceFilters::attribute);
    filters.put("batch", SequenceFilters::batch);
    filters.put("count", SequenceFilters::length);
    filters.put("length", SequenceFilters::length);
    filters.put("default", SequenceFilters::otherwise);
    filters.put("d", SequenceFilters::otherwise);
    filters.put("dictsort", SequenceFilters::dictSort);
    filters.put("first", SequenceFilters::first);
    filters.put("last", SequenceFilters::last);
    filters.put("groupby", SequenceFilters::groupBy);
    filters.put("items", SequenceFilters::items);
    filters.put("join", SequenceFilters::join);
    filters.put("list", SequenceFilters::list);
    filters.put("map", SequenceFilters::map);
    filters.put("max", (value, given) -> extreme("max", ">", value, given));
    filters.put("min", (value, given) -> extreme("min", "<", value, given));
    filters.put("reject", (value, given) -> select(value, given, false, false));
    filters.put("rejectattr", (value, given) -> select(value, given, false, true));
    filters.put("select", (value, given) -> select(value, given, true, false));
    filters.put("selectattr", (value, given) -> select(value, given, true, true));
    filters.put("reverse", SequenceFilters::reverse);
    filters.put("slice", SequenceFilters::slice);
    filters.put("sort", SequenceFilters::sort);
    filters.put("sum", SequenceFilters::sum);
    filters.put("unique", SequenceFilters::unique);
  }

  private static Object attribute(Object value, Arguments given) {
    String name = Text.of(given.bind("attr", 1, "name")[0]);
    if (name == null) {
      throw JinjaException.failure("attribute name must be string");
    }
    if (value instanceof Undefined undefined) {
      throw undefined.failure();
    }
    Object attribute = Lookup.attributeOnly(value, name);
    return attribute == Lookup.ABSENT ? Undefined.of(value, name) : attribute;
  }

  private static Object batch(Object value, Arguments given) {
    Object[] bound = given.bind("batch", 1, "linecount", "fill_with");
    int size = Values.index(bound[0]);
    Object fill = Arguments.or(bound[1], null);
    Iterator<Object> items = Values.iterate(value);
    return generate(
        () -> {
          if (!items.hasNext()) {
            return Lookup.ABSENT;
          }
          List<Object> row = new ArrayList<>();
          do {
            row.add(items.next());
          } while (items.hasNext() && row.size() != size);
          Budget.spend(fill == null ? 0 : Math.max(0, size - row.size()));
          while (fill != null && row.size() < size) {
            row.add(fill);
          }
          return row;
        });
  }

  private static Object slice(Object value, Arguments given) {
    Object[] bound = given.bind("slice", 1, "slices", "fill_with");
    int slices = Values.index(bound[0]);
    Object fill = Arguments.or(bound[1], null);
    List<Object> items = Methods.copy(value);
    if (slices == 0) {
      throw JinjaException.failure("division by zero");
    }
    int least = Math.floorDiv(items.size(), slices);
    int longer = Math.floorMod(items.size(), slices);
    int[] at = {0, 0};
    return generate(
        () -> {
          if (at[0] >= slices) {
            return Lookup.ABSENT;
          }
          boolean isLonger = at[0]++ < longer;
          int end = at[1] + least + (isLonger ? 1 : 0);
          List<Object> column = new ArrayList<>(items.subList(at[1], end));
          at[1] = end;
          if (fill != null && !isLonger) {
            column.add(fill);
          }
          return column;
        });
  }

  private static Object length(Object value, Arguments given) {
    given.bind("length", 0);
    return Values.integer(Values.length(value));
  }

  private static Object otherwise(Object value, Arguments given) {
    Object[] bound = given.bind("default", 0, "default_value", "boolean");
    boolean missing =
        value instanceof Undefined
            || Values.truth(Arguments.or(bound[1], false)) && !Values.truth(value);
    return missing ? Arguments.or(bound[0], "") : value;
  }

  private static Object dictSort(Object value, Arguments given) {
    Object[] bound = given.bind("dictsort", 0, "case_sensitive", "by", "reverse");
    String by = Text.of(Arguments.or(bound[1], "key"));
    if (!"key".equals(by) && !"value".equals(by)) {
      throw JinjaException.failure("You can only sort by either \"key\" or \"value\"");
    }
    if (!(value instanceof Dict dict)) {
      throw value instanceof Undefined undefined
          ? undefined.failure()
          : JinjaException.failure("dictsort takes a dict, not " + Values.typeName(value));
    }
    boolean sensitive = Values.truth(Arguments.or(bound[0], false));
    List<Object> keys = new ArrayList<>();
    for (Dict.Entry entry : dict.entries()) {
      Object key = by.equals("key") ? entry.key() : entry.value();
      keys.add(sensitive ? key : withoutCase(key));
    }
    return Values.sorted(dict.items(), keys, Values.flag(Arguments.or(bound[2], false)));
  }

  private static Object withoutCase(Object value) {
    String text = Text.of(value);
    return text == null ? value : text.toLowerCase(Locale.ROOT);
  }

  private static Object first(Object value, Arguments given) {
    given.bind("first", 0);
    Iterator<Object> items = Values.iterate(value);
    return items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
  }

  private static Object last(Object value, Arguments given) {
    given.bind("last", 0);
    if (value instanceof Generator) {
      throw JinjaException.failure("'generator' object is not reversible");
    }
    List<Object> items = Values.list(value);
    return items.isEmpty()
        ? new Undefined("No last item, sequence was empty.")
        : items.get(items.size() - 1);
  }

  private static Object groupBy(Object value, Arguments given) {
    Object[] bound = given.bind("groupby", 1, "attribute", "default", "case_sensitive");
    boolean sensitive = Values.truth(Arguments.or(bound[2], false));
    UnaryOperator<Object> real = getter(bound[0], Arguments.or(bound[1], null));
    UnaryOperator<Object> getter =
        item -> sensitive ? real.apply(item) : withoutCase(real.apply(item));
    List<Object> items = Methods.copy(value);
    items = Values.sorted(items, items.stream().map(getter).toList(), false);
    List<Object> groups = new ArrayList<>();
    List<Object> group = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      group.add(items.get(i));
      boolean ends =
          i + 1 == items.size()
              || !Values.same(getter.apply(items.get(i)), getter.apply(items.get(i + 1)));
      if (ends) {
        Object key = real.apply(group.get(0));
        groups.add(new Tuple(Tuple.of(key, group).items(), List.of("grouper", "list")));
        group = new ArrayList<>();
      }
    }
    return groups;
  }

  private static Object items(Object value, Arguments given) {
    given.bind("items", 0);
    if (value instanceof Undefined) {
      return new Generator(List.<Object>of().iterator());
    }
    if (!(value instanceof Dict dict)) {
      throw JinjaException.failure("Can only get item pairs from a mapping.");
    }
    return new Generator(dict.items().iterator());
  }

  private static Object join(Object value, Arguments given) {
    Object[] bound = given.bind("join", 0, "d", "attribute");
    String separator = Printer.str(Arguments.or(bound[0], ""));
    Object attribute = Arguments.or(bound[1], null);
    UnaryOperator<Object> getter = getter(attribute, null);
    StringBuilder out = new StringBuilder();
    boolean begun = false;
    for (Iterator<Object> items = Values.iterate(value); items.hasNext(); ) {
      String item = Printer.str(getter.apply(items.next()));
      out.append(begun ? separator : "").append(item);
      begun = true;
      Budget.spendText(
          out.length() > Budget.LONGEST_TEXT ? out.length() : item.length() + separator.length());
    }
    return out.toString();
  }

  private static Object list(Object value, Arguments given) {
    given.bind("list", 0);
    return Methods.copy(value);
  }

  private static Object map(Object value, Arguments given) {
    if (!Values.truth(value)) {
      return new Generator(List.<Object>of().iterator());
    }
    UnaryOperator<Object> change;
    if (given.positional().isEmpty() && given.named().containsKey("attribute")) {
      Object[] bound = given.bind("map", 0, "attribute", "default");
      change = getter(bound[0], Arguments.or(bound[1], null));
    } else {
      if (given.positional().isEmpty()) {
        throw JinjaException.failure("map requires a filter argument");
      }
      Filter filter = Filters.named(Printer.str(given.positional().get(0)));
      Arguments rest = given.from(1);
      change = item -> filter.apply(item, rest);
    }
    Iterator<Object> items = Values.iterate(value);
    return generate(() -> items.hasNext() ? change.apply(items.next()) : Lookup.ABSENT);
  }

  private static Object select(Object value, Arguments given, boolean wanted, boolean attribute) {
    if (!Values.truth(value)) {
      return new Generator(List.<Object>of().iterator());
    }
    if (attribute && given.positional().isEmpty()) {
      throw JinjaException.failure("Missing parameter for attribute name");
    }
    UnaryOperator<Object> getter =
        attribute ? getter(given.positional().get(0), null) : item -> item;
    Arguments rest = given.from(attribute ? 1 : 0);
    Tests.Test test =
        rest.positional().isEmpty()
            ? (item, none) -> Values.truth(item)
            : Tests.named(Printer.str(rest.positional().get(0)));
    Arguments arguments = rest.from(1);
    Iterator<Object> items = Values.iterate(value);
    return generate(
        () -> {
          while (items.hasNext()) {
            Budget.spend(1);
            Object item = items.next();
            if (test.holds(getter.apply(item), arguments) == wanted) {
              return item;
            }
          }
          return Lookup.ABSENT;
        });
  }

  private static Object extreme(String name, String operator, Object value, Arguments given) {
    Object[] bound = given.bind(name, 0, "case_sensitive", "attribute");
    UnaryOperator<Object> getter = getter(Arguments.or(bound[1], null), null);
    boolean sensitive = Values.truth(Arguments.or(bound[0], false));
    Object best = new Undefined("No aggregated item, sequence was empty.");
    Object bestKey = Lookup.ABSENT;
    for (Iterator<Object> items = Values.iterate(value); items.hasNext(); ) {
      Object item = items.next();
      Object key = sensitive ? getter.apply(item) : withoutCase(getter.apply(item));
      if (bestKey == Lookup.ABSENT || Values.ordered(operator, key, bestKey)) {
        best = item;
        bestKey = key;
      }
    }
    return best;
  }

  private static Object reverse(Object value, Arguments given) {
    given.bind("reverse", 0);
    String text = Text.of(value);
    if (text != null) {
      Object reversed = new StringBuilder(text).reverse().toString();
      return value instanceof Markup ? new Markup((String) reversed) : reversed;
    }
    List<Object> items = Methods.copy(value);
    Collections.reverse(items);
    return value instanceof Generator ? items : new Generator(items.iterator());
  }

  private static Object sort(Object value, Arguments given) {
    Object[] bound = given.bind("sort", 0, "reverse", "case_sensitive", "attribute");
    boolean sensitive = Values.truth(Arguments.or(bound[1], false));
    Object attribute = Arguments.or(bound[2], null);
    List<UnaryOperator<Object>> getters = new ArrayList<>();
    if (Text.of(attribute) != null) {
      for (String one : Text.of(attribute).split(",", -1)) {
        getters.add(getter(one, null));
      }
    } else {
      getters.add(getter(attribute, null));
    }
    List<Object> items = Methods.copy(value);
    List<Object> keys = new ArrayList<>();
    for (Object item : items) {
      List<Object> key = new ArrayList<>();
      for (UnaryOperator<Object> getter : getters) {
        key.add(sensitive ? getter.apply(item) : withoutCase(getter.apply(item)));
      }
      keys.add(key);
    }
    return Values.sorted(items, keys, Values.flag(Arguments.or(bound[0], false)));
  }

  private static Object sum(Object value, Arguments given) {
    Object[] bound = given.bind("sum", 0, "attribute", "start");
    UnaryOperator<Object> getter = getter(Arguments.or(bound[0], null), null);
    Object sum = Arguments.or(bound[1], BigInteger.ZERO);
    if (Text.of(sum) != null) {
      throw JinjaException.failure("sum() can't sum strings [use ''.join(seq) instead]");
    }
    for (Iterator<Object> items = Values.iterate(value); items.hasNext(); ) {
      sum = Arithmetic.binary("+", sum, getter.apply(items.next()));
    }
    return sum;
  }

  private static Object unique(Object value, Arguments given) {
    Object[] bound = given.bind("unique", 0, "case_sensitive", "attribute");
    boolean sensitive = Values.truth(Arguments.or(bound[0], false));
    UnaryOperator<Object> getter = getter(Arguments.or(bound[1], null), null);
    Set<Object> seen = new HashSet<>();
    Iterator<Object> items = Values.iterate(value);
    return generate(
        () -> {
          while (items.hasNext()) {
            Budget.spend(1);
            Object item = items.next();
            Object key = getter.apply(item);
            if (seen.add(Dict.hashable(sensitive ? key : withoutCase(key)))) {
              return item;
            }
          }
          return Lookup.ABSENT;
        });
  }

  /**
   * Gets what a path such as {@code address.city.0} leads to.
   *
   * @param path null: the item itself
   * @param otherwise what stands for undefined values; null: nothing does
   */
  private static UnaryOperator<Object> getter(Object path, Object otherwise) {
    List<Object> parts = new ArrayList<>();
    if (Text.of(path) != null) {
      for (String part : Text.of(path).split("\\.", -1)) {
        boolean number = !part.isEmpty() && part.chars().allMatch(c -> c >= '0' && c <= '9');
        parts.add(number ? new BigInteger(part) : part);
      }
    } else if (path != null) {
      parts.add(path);
    }
    return item -> {
      Object value = item;
      for (Object part : parts) {
        value = Lookup.item(value, part);
        value = otherwise != null && value instanceof Undefined ? otherwise : value;
      }
      return value;
    };
  }

  /** Items one after another, as they are asked for, until {@link Lookup#ABSENT}. */
  private static Generator generate(Supplier<Object> items) {
    return new Generator(
        new Iterator<>() {
          private Object next;
          private boolean known;

          @Override
          public boolean hasNext() {
            if (!known) {
              Budget.spend(1);
              next = items.get();
              known = true;
            }
            return next != Lookup.ABSENT;
          }

          @Override
          public Object next() {
            if (!hasNext()) {
              throw new NoSuchElementException();
            }
            known = false;
            return next;
          }
        });
  }
}
