package kv4j.apps.cli;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;

/**
 * An option with a value.
 *
 * @param name what stands after {@code --}
 * @param argument what its value is called in the help
 * @param description for the help, without the default
 * @param otherwise the value, as it would be typed, where the option is not given; empty: none
 * @param repeatable whether it may be given more than once
 * @param choices all values there are, for shells to complete; empty if there are others
 * @param parser reads the value; throws {@link IllegalArgumentException} with what is wrong, to be
 *     read after the option's name
 */
public record ValueOption<T>(
    String name,
    String argument,
    String description,
    Optional<String> otherwise,
    boolean repeatable,
    List<String> choices,
    Function<String, T> parser) {
  /** The type of repeatable options, in Commons CLI's sense. */
  static final Class<?> REPEATABLE = List.class;

  /** An option with a default. */
  public static <T> ValueOption<T> of(
      String name,
      String argument,
      String description,
      Object otherwise,
      Function<String, T> parser) {
    return new ValueOption<>(
        name, argument, description, Optional.of(otherwise.toString()), false, List.of(), parser);
  }

  /** An option whose values are an enum's constants in lower case. */
  public static <E extends Enum<E>> ValueOption<E> oneOf(
      String name, String argument, String description, Object otherwise, Class<E> type) {
    return of(name, argument, description, otherwise, text -> Values.oneOf(type, text))
        .withChoices(Values.names(type));
  }

  /** An option that need not have a value. */
  public static <T> ValueOption<T> optional(
      String name, String argument, String description, Function<String, T> parser) {
    return new ValueOption<>(
        name, argument, description, Optional.empty(), false, List.of(), parser);
  }

  /** An option that may be given any number of times. */
  public static <T> ValueOption<T> repeatable(
      String name, String argument, String description, Function<String, T> parser) {
    return new ValueOption<>(
        name, argument, description, Optional.empty(), true, List.of(), parser);
  }

  /** The same, which takes only these values. */
  public ValueOption<T> withChoices(Collection<String> values) {
    return new ValueOption<>(
        name, argument, description, otherwise, repeatable, List.copyOf(values), parser);
  }

  /** For Commons CLI, its default in its description. */
  public Option option() {
    String text = otherwise.map(o -> description + " (default: " + o + ")").orElse(description);
    Option option = new WithChoices(name, text, choices);
    option.setArgName(argument);
    option.setType(repeatable ? REPEATABLE : String.class);
    return option;
  }

  /** All values that an option takes; empty if there are others. */
  static List<String> choices(Option option) {
    return option instanceof WithChoices with ? List.of(with.choices) : List.of();
  }

  /** An option of Commons CLI that knows what values there are. */
  private static final class WithChoices extends Option {
    private static final long serialVersionUID = 1;

    private final String[] choices;

    WithChoices(String name, String description, List<String> choices) {
      super(null, name, true, description);
      this.choices = choices.toArray(String[]::new);
    }
  }

  /**
   * The value on a command line, or else the default.
   *
   * @throws IllegalArgumentException with one sentence if the value is wrong
   */
  public Optional<T> find(CommandLine line) {
    return Optional.ofNullable(line.getOptionValue(name)).or(() -> otherwise).map(this::parse);
  }

  /** All values of a repeatable option. */
  public List<T> all(CommandLine line) {
    return line.hasOption(name)
        ? Arrays.stream(line.getOptionValues(name)).map(this::parse).toList()
        : List.of();
  }

  /** The value of an option that has a default. */
  public T in(CommandLine line) {
    return find(line).orElseThrow();
  }

  /** The value on a command line, or else another default than usual. */
  public T in(CommandLine line, T insteadOfDefault) {
    return line.hasOption(name) ? in(line) : insteadOfDefault;
  }

  private T parse(String text) {
    try {
      return parser.apply(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("--" + name + " " + e.getMessage(), e);
    }
  }
}
