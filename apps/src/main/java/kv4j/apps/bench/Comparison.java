package kv4j.apps.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import kv4j.apps.cli.Values;
import kv4j.inference.kernel.Kernels;

/** What the engine's times are compared to. */
public enum Comparison {
  /** SameDiff's own session on the same graph. */
  STOCK("stock session"),
  /** The engine without the Java Vector API. */
  PLAIN("plain kernels");

  private static final String NONE = "none";

  private final String label;

  Comparison(String label) {
    this.label = label;
  }

  /** For people. */
  public String label() {
    return label;
  }

  /**
   * Reads a list such as {@code stock,plain}, or {@code none}.
   *
   * @throws IllegalArgumentException with what is wrong, to be read after the option's name
   */
  public static List<Comparison> list(String text) {
    List<Comparison> list = new ArrayList<>();
    for (String name : text.equals(NONE) ? new String[0] : text.split(",")) {
      list.add(Values.oneOf(Comparison.class, name));
    }
    return list.stream().distinct().toList();
  }

  /** All that this process can be compared to. */
  public static List<Comparison> possible() {
    return Arrays.stream(values()).filter(c -> c.obstacle().isEmpty()).toList();
  }

  /** Why this process cannot be compared to it, if it cannot. */
  public Optional<String> obstacle() {
    return switch (this) {
      case STOCK -> Optional.empty();
      case PLAIN ->
          isPlain(Kernels.best().name())
              ? Optional.of("this JVM runs plain kernels already")
              : Optional.empty();
    };
  }

  static boolean isPlain(String kernels) {
    return kernels.equals("plain");
  }
}
