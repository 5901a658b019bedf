package kv4j.apps.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads option values. All methods throw {@link IllegalArgumentException} with what is wrong, to be
 * read after the option's name.
 */
public final class Values {
  private static final Pattern DURATION = Pattern.compile("(?:\\d+(?:ms|[smhd]))+");
  private static final Pattern DURATION_PART = Pattern.compile("(\\d+)(ms|[smhd])");
  private static final Map<String, Duration> DURATION_UNITS =
      Map.of(
          "ms", Duration.ofMillis(1),
          "s", Duration.ofSeconds(1),
          "m", Duration.ofMinutes(1),
          "h", Duration.ofHours(1),
          "d", Duration.ofDays(1));

  private static final Pattern BYTES = Pattern.compile("(\\d+) ?([kmgt]?)(i?)(b?)");
  private static final String BYTE_PREFIXES = "kmgt";

  private Values() {}

  /**
   * The name of a file or a folder.
   *
   * @throws IllegalArgumentException if it is empty
   */
  public static Path path(String text) {
    return Path.of(text(text));
  }

  /** Any text but the empty one. */
  public static String text(String text) {
    if (text.isEmpty()) {
      throw new IllegalArgumentException("must not be empty");
    }
    return text;
  }

  /** A whole number, at least 1. */
  public static int positiveInt(String text) {
    return intUpTo(Integer.MAX_VALUE, text);
  }

  /** A whole number, at least 1 and at most another. */
  public static int intUpTo(int most, String text) {
    long value = wholeNumber(text);
    if (value < 1) {
      throw new IllegalArgumentException("must be at least 1, not " + text);
    }
    if (value > most) {
      throw new IllegalArgumentException("must be at most " + most + ", not " + text);
    }
    return (int) value;
  }

  /** A whole number of any sign. */
  public static long wholeNumber(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          text.matches("[+-]?\\d+")
              ? "is too large: " + text
              : "must be a whole number, not \"" + text + "\"");
    }
  }

  /** A positive duration such as {@code 10m}, {@code 1h30m}, {@code 45s} or {@code 250ms}. */
  public static Duration duration(String text) {
    if (!DURATION.matcher(text).matches()) {
      throw new IllegalArgumentException(
          "must be a positive duration such as 10m, 1h30m, 45s or 250ms, not \"" + text + "\"");
    }
    Duration sum = Duration.ZERO;
    try {
      Matcher part = DURATION_PART.matcher(text);
      while (part.find()) {
        Duration unit = DURATION_UNITS.get(part.group(2));
        sum = sum.plus(unit.multipliedBy(Long.parseLong(part.group(1))));
      }
      sum.toNanos();
    } catch (ArithmeticException | NumberFormatException e) {
      throw new IllegalArgumentException("is too long: " + text);
    }
    if (sum.isZero()) {
      throw new IllegalArgumentException("must be longer than 0, not " + text);
    }
    return sum;
  }

  /**
   * A positive number of bytes such as {@code 512MiB}, {@code 1GB} or {@code 64k}, in upper or
   * lower case: {@code kB} is 1000 bytes, {@code KiB} and a bare {@code K} are 1024.
   */
  public static long bytes(String text) {
    Matcher matcher = BYTES.matcher(text.toLowerCase(Locale.ROOT));
    if (!matcher.matches() || (matcher.group(2).isEmpty() && !matcher.group(3).isEmpty())) {
      throw new IllegalArgumentException(
          "must be a positive size such as 512MiB, 1GB or 64k, not \"" + text + "\"");
    }
    boolean decimal = matcher.group(3).isEmpty() && !matcher.group(4).isEmpty();
    int power =
        matcher.group(2).isEmpty() ? 0 : 1 + BYTE_PREFIXES.indexOf(matcher.group(2).charAt(0));
    long bytes;
    try {
      bytes = Long.parseLong(matcher.group(1));
      for (int i = 0; i < power; i++) {
        bytes = Math.multiplyExact(bytes, decimal ? 1000L : 1024L);
      }
    } catch (ArithmeticException | NumberFormatException e) {
      throw new IllegalArgumentException("is too large: " + text);
    }
    if (bytes == 0) {
      throw new IllegalArgumentException("must be more than 0 bytes, not " + text);
    }
    return bytes;
  }

  /** The constant of an enum whose name this is in lower case. */
  public static <E extends Enum<E>> E oneOf(Class<E> type, String text) {
    for (E constant : type.getEnumConstants()) {
      if (name(constant).equals(text)) {
        return constant;
      }
    }
    throw new IllegalArgumentException(
        "must be one of " + names(type, ", ") + ", not \"" + text + "\"");
  }

  /** The constants of an enum in lower case. */
  public static String names(Class<? extends Enum<?>> type, String separator) {
    return String.join(separator, names(type));
  }

  /** The constants of an enum in lower case, each. */
  public static List<String> names(Class<? extends Enum<?>> type) {
    return Arrays.stream(type.getEnumConstants()).map(Values::name).toList();
  }

  /** A constant of an enum in lower case. */
  public static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
