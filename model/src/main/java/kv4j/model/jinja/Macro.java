package kv4j.model.jinja;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A macro, or the body of a call block.
 *
 * @param name its name; null of a call block
 * @param scope where it was defined, whose variables it sees
 */
record Macro(String name, Signature signature, List<Statement> body, Frame scope)
    implements Callable {

  /**
   * What a macro takes.
   *
   * @param defaults of the last parameters
   * @param special which of {@code caller}, {@code varargs} and {@code kwargs} the body uses
   */
  record Signature(List<String> parameters, List<Expression> defaults, Set<String> special) {
    boolean takes(String name) {
      return special.contains(name) && !parameters.contains(name);
    }
  }

  @Override
  public Object call(Arguments arguments) {
    Frame frame = scope.capture();
    List<String> parameters = signature.parameters();
    Map<String, Object> named = new LinkedHashMap<>(arguments.named());
    int given = Math.min(parameters.size(), arguments.positional().size());
    for (int i = 0; i < given; i++) {
      frame.set(parameters.get(i), arguments.positional().get(i));
    }
    Budget.enter();
    for (int i = given; i < parameters.size(); i++) {
      String parameter = parameters.get(i);
      int at = i - (parameters.size() - signature.defaults().size());
      frame.set(
          parameter,
          named.containsKey(parameter)
              ? named.remove(parameter)
              : at < 0
                  ? new Undefined("parameter " + Printer.repr(parameter) + " was not provided")
                  : signature.defaults().get(at).evaluate(frame));
    }
    if (signature.takes("caller")) {
      Object caller = named.remove("caller");
      frame.set("caller", caller == null ? new Undefined("No caller defined") : caller);
    }
    if (signature.takes("kwargs")) {
      frame.set("kwargs", Dict.of(named));
    } else if (!named.isEmpty()) {
      throw JinjaException.failure(
          "macro "
              + Printer.repr(name)
              + " takes no keyword argument "
              + Printer.repr(named.keySet().iterator().next()));
    }
    if (signature.takes("varargs")) {
      frame.set("varargs", new Tuple(arguments.from(parameters.size()).positional()));
    } else if (arguments.positional().size() > parameters.size()) {
      throw JinjaException.failure(
          "macro "
              + Printer.repr(name)
              + " takes not more than "
              + parameters.size()
              + " argument(s)");
    }
    Statement.runAll(body, frame);
    Budget.leave();
    return frame.output();
  }

  @Override
  public String typeName() {
    return "Macro";
  }

  @Override
  public Object attribute(String attribute) {
    return switch (attribute) {
      case "name" -> name;
      case "arguments" -> List.copyOf(signature.parameters());
      case "catch_kwargs" -> signature.takes("kwargs");
      case "catch_varargs" -> signature.takes("varargs");
      case "caller" -> signature.takes("caller");
      default -> Lookup.ABSENT;
    };
  }

  @Override
  public String repr() {
    return name == null ? "<Macro anonymous>" : "<Macro " + Printer.repr(name) + ">";
  }
}
