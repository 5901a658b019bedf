package kv4j.model.jinja;

/** Python's {@code text.format(values)}, with fields looked up as the sandbox does. */
final class BraceFormat {
  private static final int MANUAL = -1;

  private final Arguments arguments;
  private final boolean markup;
  private int automatic;

  private BraceFormat(Arguments arguments, boolean markup) {
    this.arguments = arguments;
    this.markup = markup;
  }

  static Object format(Object format, Arguments arguments) {
    boolean markup = format instanceof Markup;
    String text = new BraceFormat(arguments, markup).expand(Text.of(format), 2);
    return markup ? new Markup(text) : text;
  }

  private String expand(String format, int depth) {
    if (depth < 0) {
      throw JinjaException.failure("Max string recursion exceeded");
    }
    StringBuilder out = new StringBuilder();
    int at = 0;
    while (at < format.length()) {
      char c = format.charAt(at++);
      boolean doubled = at < format.length() && format.charAt(at) == c;
      if ((c == '{' || c == '}') && doubled) {
        out.append(c);
        at++;
      } else if (c == '}') {
        throw JinjaException.failure("Single '}' encountered in format string");
      } else if (c == '{') {
        int end = end(format, at);
        out.append(field(format.substring(at, end), depth));
        Budget.spendText(out.length() / 64);
        at = end + 1;
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }

  private static int end(String format, int from) {
    if (from == format.length()) {
      throw JinjaException.failure("Single '{' encountered in format string");
    }
    int depth = 1;
    boolean bracket = false;
    boolean name = true;
    for (int i = from; i < format.length(); i++) {
      char c = format.charAt(i);
      bracket = name && (c == '[' || bracket && c != ']');
      name = name && (bracket || c != ':' && c != '!');
      if (!bracket) {
        depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      }
      if (depth == 0) {
        return i;
      }
    }
    throw JinjaException.failure("expected '}' before end of string");
  }

  private String field(String field, int depth) {
    int split = 0;
    boolean bracket = false;
    while (split < field.length() && (bracket || ":!".indexOf(field.charAt(split)) < 0)) {
      bracket = field.charAt(split) == '[' || bracket && field.charAt(split) != ']';
      if (field.charAt(split) == '{') {
        throw JinjaException.failure("unexpected '{' in field name");
      }
      split++;
    }
    Object value = lookUp(field.substring(0, split));
    String rest = field.substring(split);
    if (rest.startsWith("!")) {
      if (rest.length() < 2 || rest.length() > 2 && rest.charAt(2) != ':') {
        throw JinjaException.failure("expected ':' after conversion specifier");
      }
      value =
          switch (rest.charAt(1)) {
            case 's' -> Printer.str(value);
            case 'r' -> Printer.repr(value);
            case 'a' -> Printer.ascii(value);
            default ->
                throw JinjaException.failure(
                    "Unknown conversion specifier '" + rest.charAt(1) + "'");
          };
      rest = rest.substring(2);
    }
    String spec = rest.isEmpty() ? "" : expand(rest.substring(1), depth - 1);
    if (!markup) {
      return FormatSpec.apply(value, spec);
    }
    if (value instanceof Markup html && spec.isEmpty()) {
      return html.text();
    }
    return Markup.escaped(FormatSpec.apply(value, spec));
  }

  private Object lookUp(String name) {
    int end = 0;
    while (end < name.length() && ".[".indexOf(name.charAt(end)) < 0) {
      end++;
    }
    String begin = name.substring(0, end);
    if (isNumber(begin)) {
      manual();
    }
    Object value = first(name.isEmpty() ? automatic() : begin);
    while (end < name.length()) {
      if (name.charAt(end) == '.') {
        int from = ++end;
        while (end < name.length() && ".[".indexOf(name.charAt(end)) < 0) {
          end++;
        }
        value = Lookup.attribute(value, part(name.substring(from, end)));
      } else if (name.charAt(end) == '[') {
        int close = name.indexOf(']', end);
        if (close < 0) {
          throw JinjaException.failure("Missing ']' in format string");
        }
        String key = part(name.substring(end + 1, close));
        value = Lookup.item(value, isNumber(key) ? new java.math.BigInteger(key) : key);
        end = close + 1;
      } else {
        throw JinjaException.failure("Only '.' or '[' may follow ']' in format field specifier");
      }
    }
    return value;
  }

  private static String part(String part) {
    if (part.isEmpty()) {
      throw JinjaException.failure("Empty attribute in format string");
    }
    return part;
  }

  private static boolean isNumber(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private String automatic() {
    if (automatic == MANUAL) {
      throw JinjaException.failure(
          "cannot switch from manual field specification to automatic field numbering");
    }
    return Integer.toString(automatic++);
  }

  private void manual() {
    if (automatic > 0) {
      throw JinjaException.failure(
          "cannot switch from manual field specification to automatic field numbering");
    }
    automatic = MANUAL;
  }

  private Object first(String name) {
    if (!isNumber(name)) {
      Object value = arguments.named().getOrDefault(name, Lookup.ABSENT);
      if (value == Lookup.ABSENT) {
        throw JinjaException.failure("the format's key " + Printer.repr(name) + " is missing");
      }
      return value;
    }
    int index = name.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(name);
    if (index >= arguments.positional().size()) {
      throw JinjaException.failure("Replacement index " + name + " out of range");
    }
    return arguments.positional().get(index);
  }
}
