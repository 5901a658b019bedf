package kv4j.apps.report;

import java.util.Locale;

/** Figures for people, in plain ASCII and the same in every locale. */
public final class Format {
  private static final String[] BYTE_UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

  private Format() {}

  /** Four significant digits or so: {@code 0.123}, {@code 12.3}, {@code 1,234}. */
  public static String number(double value) {
    if (!Double.isFinite(value)) {
      return "-";
    }
    double size = Math.abs(value);
    String pattern = size >= 1000 ? "%,.0f" : size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f";
    return String.format(Locale.ROOT, pattern, value);
  }

  /** A ratio as {@code 12.3x}. */
  public static String times(double ratio) {
    return Double.isFinite(ratio) ? number(ratio) + "x" : "-";
  }

  /** A share as {@code 97.5%}. */
  public static String percent(double share) {
    return Double.isFinite(share) ? String.format(Locale.ROOT, "%.1f%%", 100 * share) : "-";
  }

  /** A size as {@code 1.50 MiB}. */
  public static String bytes(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    return (unit == 0 ? Long.toString(bytes) : number(value)) + " " + BYTE_UNITS[unit];
  }

  /** A small figure as {@code 1.2e-06}. */
  public static String scientific(double value) {
    return String.format(Locale.ROOT, "%.1e", value);
  }
}
