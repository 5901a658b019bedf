package kv4j.model.jinja;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The arguments of a call.
 *
 * @param positional those without a name
 * @param named those with one, in order
 */
record Arguments(List<Object> positional, Map<String, Object> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  static Arguments of(Object... positional) {
    return new Arguments(Arrays.asList(positional), Map.of());
  }

  /**
   * One value for each parameter, in order; {@link Lookup#ABSENT} for those not given.
   *
   * @param function its name, for errors
   * @param required how many of the parameters must be given
   */
  Object[] bind(String function, int required, String... parameters) {
    if (positional.size() > parameters.length) {
      throw JinjaException.failure(
          function
              + " takes at most "
              + parameters.length
              + " arguments, not "
              + positional.size());
    }
    Object[] bound = new Object[parameters.length];
    Arrays.fill(bound, Lookup.ABSENT);
    for (int i = 0; i < positional.size(); i++) {
      bound[i] = positional.get(i);
    }
    named.forEach(
        (name, value) -> {
          int at = Arrays.asList(parameters).indexOf(name);
          if (at < 0) {
            throw JinjaException.failure(
                function + " got an unexpected keyword argument " + Printer.repr(name));
          }
          if (bound[at] != Lookup.ABSENT) {
            throw JinjaException.failure(
                function + " got multiple values for argument " + Printer.repr(name));
          }
          bound[at] = value;
        });
    for (int i = 0; i < required; i++) {
      if (bound[i] == Lookup.ABSENT) {
        throw JinjaException.failure(function + " misses the argument '" + parameters[i] + "'");
      }
    }
    return bound;
  }

  /** The positional arguments of a function that takes no others. */
  List<Object> only(String function, int least, int most) {
    if (!named.isEmpty()) {
      throw JinjaException.failure(function + "() takes no keyword arguments");
    }
    if (positional.size() < least || positional.size() > most) {
      throw JinjaException.failure(
          function + "() takes " + least + " to " + most + " arguments, not " + positional.size());
    }
    return positional;
  }

  /** The same, and one more at the end. */
  Arguments with(String name, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(named);
    if (more.put(name, value) != null) {
      throw JinjaException.failure("got multiple values for argument " + Printer.repr(name));
    }
    return new Arguments(positional, more);
  }

  /** The same without the first positional ones. */
  Arguments from(int first) {
    return new Arguments(
        positional.subList(Math.min(first, positional.size()), positional.size()), named);
  }

  static Object or(Object value, Object otherwise) {
    return value == Lookup.ABSENT ? otherwise : value;
  }
}
