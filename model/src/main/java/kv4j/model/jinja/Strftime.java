package kv4j.model.jinja;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** Python's {@code strftime} of a local time, in the C locale. */
final class Strftime {
  private Strftime() {}

  static String format(String format, LocalDateTime time) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      char code = format.charAt(++i);
      boolean flag = "-_0^#".indexOf(code) >= 0 && i + 1 < format.length();
      if (!flag) {
        out.append(field(code, time));
        continue;
      }
      String field = field(format.charAt(++i), time);
      out.append(
          switch (code) {
            case '-' -> unpadded(field, "");
            case '_' -> unpadded(field, " ");
            case '^' -> field.toUpperCase(Locale.ROOT);
            case '#' -> field.toUpperCase(Locale.ROOT);
            default -> field;
          });
    }
    return out.toString();
  }

  private static String unpadded(String field, String padding) {
    int zeros = 0;
    while (zeros < field.length() - 1
        && (field.charAt(zeros) == '0' || field.charAt(zeros) == ' ')
        && Character.isDigit(field.charAt(zeros + 1))) {
      zeros++;
    }
    return padding.repeat(zeros) + field.substring(zeros);
  }

  private static String field(char code, LocalDateTime time) {
    return switch (code) {
      case 'a' -> text("EEE", time);
      case 'A' -> text("EEEE", time);
      case 'b', 'h' -> text("MMM", time);
      case 'B' -> text("MMMM", time);
      case 'c' -> format("%a %b %e %H:%M:%S %Y", time);
      case 'C' -> number("%02d", time.getYear() / 100);
      case 'd' -> number("%02d", time.getDayOfMonth());
      case 'D', 'x' -> format("%m/%d/%y", time);
      case 'e' -> number("%2d", time.getDayOfMonth());
      case 'f' -> number("%06d", time.get(ChronoField.MICRO_OF_SECOND));
      case 'F' -> format("%Y-%m-%d", time);
      case 'g' -> number("%02d", time.get(IsoFields.WEEK_BASED_YEAR) % 100);
      case 'G' -> number("%d", time.get(IsoFields.WEEK_BASED_YEAR));
      case 'H' -> number("%02d", time.getHour());
      case 'I' -> number("%02d", (time.getHour() + 11) % 12 + 1);
      case 'j' -> number("%03d", time.getDayOfYear());
      case 'k' -> number("%2d", time.getHour());
      case 'l' -> number("%2d", (time.getHour() + 11) % 12 + 1);
      case 'm' -> number("%02d", time.getMonthValue());
      case 'M' -> number("%02d", time.getMinute());
      case 'n' -> "\n";
      case 'p' -> time.getHour() < 12 ? "AM" : "PM";
      case 'P' -> time.getHour() < 12 ? "am" : "pm";
      case 'r' -> format("%I:%M:%S %p", time);
      case 'R' -> format("%H:%M", time);
      case 'S' -> number("%02d", time.getSecond());
      case 't' -> "\t";
      case 'T', 'X' -> format("%H:%M:%S", time);
      case 'u' -> number("%d", time.getDayOfWeek().getValue());
      case 'U' -> number("%02d", week(time, time.getDayOfWeek().getValue() % 7));
      case 'V' -> number("%02d", time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
      case 'w' -> number("%d", time.getDayOfWeek().getValue() % 7);
      case 'W' -> number("%02d", week(time, time.getDayOfWeek().getValue() - 1));
      case 'y' -> number("%02d", time.getYear() % 100);
      case 'Y' -> number("%d", time.getYear());
      case 'z', 'Z' -> ""; // the time has no zone, as Python's now() has none
      case '%' -> "%";
      default -> "%" + code;
    };
  }

  private static int week(LocalDateTime time, int dayOfWeek) {
    return (time.getDayOfYear() - 1 + 7 - dayOfWeek) / 7;
  }

  private static String text(String pattern, LocalDateTime time) {
    return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
  }

  private static String number(String pattern, int number) {
    return String.format(Locale.ROOT, pattern, number);
  }
}
