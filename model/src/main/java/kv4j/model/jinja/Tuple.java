package kv4j.model.jinja;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Python's tuple.
 *
 * @param items its items
 * @param names names of the items, for {@code groupby}'s named tuples; else empty
 */
record Tuple(List<Object> items, List<String> names) {
  Tuple(List<Object> items) {
    this(items, List.of());
  }

  static Tuple of(Object... items) {
    return new Tuple(Collections.unmodifiableList(Arrays.asList(items)));
  }
}
