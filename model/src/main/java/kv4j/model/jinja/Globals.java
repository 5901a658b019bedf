package kv4j.model.jinja;

import java.math.BigInteger;
import java.time.Clock;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template has. */
final class Globals {
  private Globals() {}

  static Map<String, Object> of(Clock clock) {
    Map<String, Object> globals = new LinkedHashMap<>();
    globals.put("range", (Callable) Globals::range);
    globals.put("dict", (Callable) Globals::dict);
    globals.put("namespace", (Callable) arguments -> new Namespace(dict(arguments)));
    globals.put("cycler", (Callable) arguments -> new Cycler(arguments.positional()));
    globals.put("joiner", (Callable) Joiner::new);
    globals.put(
        "lipsum",
        (Callable)
            arguments -> {
              throw JinjaException.refused("lipsum, which makes up text, is not supported");
            });
    globals.put(
        "raise_exception",
        (Callable)
            arguments -> {
              Object message = arguments.bind("raise_exception", 1, "message")[0];
              throw JinjaException.raised(Printer.str(message));
            });
    globals.put(
        "strftime_now",
        (Callable)
            arguments -> {
              Object format = arguments.bind("strftime_now", 1, "format")[0];
              if (Text.of(format) == null) {
                throw JinjaException.failure("strftime_now takes a text");
              }
              return Strftime.format(Text.of(format), LocalDateTime.now(clock));
            });
    return globals;
  }

  private static Object range(Arguments arguments) {
    List<Object> bounds = arguments.only("range", 1, 3);
    BigInteger[] numbers = new BigInteger[bounds.size()];
    for (int i = 0; i < numbers.length; i++) {
      Values.index(bounds.get(i));
      numbers[i] = Values.integer(bounds.get(i));
    }
    return switch (numbers.length) {
      case 1 -> new Range(BigInteger.ZERO, numbers[0], BigInteger.ONE);
      case 2 -> new Range(numbers[0], numbers[1], BigInteger.ONE);
      default -> new Range(numbers[0], numbers[1], numbers[2]);
    };
  }

  private static Dict dict(Arguments arguments) {
    Dict made = new Dict();
    if (arguments.positional().size() > 1) {
      throw JinjaException.failure("dict expected at most 1 argument");
    }
    for (Object source : arguments.positional()) {
      if (source instanceof Dict dict) {
        made.putAll(dict);
        continue;
      }
      Values.iterate(source)
          .forEachRemaining(
              item -> {
                List<Object> pair = Values.list(item);
                if (pair.size() != 2) {
                  throw JinjaException.failure("dict takes pairs");
                }
                made.put(pair.get(0), pair.get(1));
              });
    }
    arguments.named().forEach(made::put);
    return made;
  }

  /** Goes round a list of values. */
  private static final class Cycler implements TemplateObject {
    private final List<Object> items;
    private int position;

    Cycler(List<Object> items) {
      this.items = items;
      if (items.isEmpty()) {
        throw JinjaException.failure("at least one item has to be provided");
      }
    }

    @Override
    public String typeName() {
      return "Cycler";
    }

    @Override
    public Object attribute(String name) {
      return switch (name) {
        case "current" -> items.get(position);
        case "items" -> new Tuple(items);
        case "pos" -> Values.integer(position);
        case "next" ->
            (Callable)
                arguments -> {
                  arguments.only("next", 0, 0);
                  Object current = items.get(position);
                  position = (position + 1) % items.size();
                  return current;
                };
        case "reset" ->
            (Callable)
                arguments -> {
                  arguments.only("reset", 0, 0);
                  position = 0;
                  return null;
                };
        default -> Lookup.ABSENT;
      };
    }
  }

  /** Nothing when first called, then a separator. */
  private static final class Joiner implements Callable {
    private final Object separator;
    private boolean used;

    Joiner(Arguments arguments) {
      separator = Arguments.or(arguments.bind("joiner", 0, "sep")[0], ", ");
    }

    @Override
    public Object call(Arguments arguments) {
      arguments.only("joiner", 0, 0);
      boolean first = !used;
      used = true;
      return first ? "" : separator;
    }

    @Override
    public String typeName() {
      return "Joiner";
    }

    @Override
    public Object attribute(String name) {
      return name.equals("sep") ? separator : name.equals("used") ? used : Lookup.ABSENT;
    }
  }
}
