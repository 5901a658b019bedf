package kv4j.model.jinja;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Jinja's filters by name. */
final class Filters {
  /** Those of Jinja that chat templates have no use for. */
  private static final Set<String> LEFT_OUT =
      Set.of("pprint", "random", "striptags", "urlize", "wordwrap");

  private static final Map<String, Filter> ALL = new HashMap<>();

  static {
    TextFilters.register(ALL);
    SequenceFilters.register(ALL);
  }

  private Filters() {}

  static boolean exists(String name) {
    return ALL.containsKey(name);
  }

  static Filter named(String name) {
    Filter filter = ALL.get(name);
    if (filter == null) {
      throw JinjaException.failure(unknown(name));
    }
    return filter;
  }

  static String unknown(String name) {
    return LEFT_OUT.contains(name)
        ? "the filter '" + name + "' is not supported"
        : "there is no filter named '" + name + "'";
  }
}
