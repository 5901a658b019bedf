package kv4j.apps.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ValuesTest {
  @ParameterizedTest
  @CsvSource({
    "10m, PT10M",
    "1h30m, PT1H30M",
    "45s, PT45S",
    "250ms, PT0.25S",
    "2d, P2D",
    "1m1ms, PT1M0.001S"
  })
  void readsDurations(String text, Duration duration) {
    assertEquals(duration, Values.duration(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "10",
        "m",
        "-5m",
        "10 m",
        "1.5h",
        "10M",
        "0s",
        "0h0m",
        "99999999999d",
        "99999999999999999999s",
        "9000000000000000h9000000000000000h"
      })
  void refusesOtherDurations(String text) {
    assertRefused(Values::duration, text);
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "7b, 7",
    "64k, 65536",
    "64K, 65536",
    "64KiB, 65536",
    "64kB, 64000",
    "512MiB, 536870912",
    "512 mib, 536870912",
    "1GB, 1000000000",
    "1g, 1073741824",
    "2TiB, 2199023255552"
  })
  void readsBytes(String text, long bytes) {
    assertEquals(bytes, Values.bytes(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0",
        "0MiB",
        "-1",
        "-1MiB",
        "1.5GiB",
        "MiB",
        "12ib",
        "12x",
        "12MBs",
        "9000000TiB",
        "9223372036854775808"
      })
  void refusesOtherBytes(String text) {
    assertRefused(Values::bytes, text);
  }

  @Test
  void readsPositiveInts() {
    assertEquals(1, Values.positiveInt("1"));
    assertEquals(Integer.MAX_VALUE, Values.positiveInt("2147483647"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "-1", "2147483648", "99999999999999999999", "1e3", "1.0", "x"})
  void refusesOtherInts(String text) {
    assertRefused(Values::positiveInt, text);
  }

  @Test
  void readsConstants() {
    assertEquals(Thread.State.NEW, Values.oneOf(Thread.State.class, "new"));
    assertRefused(text -> Values.oneOf(Thread.State.class, text), "NEW");
  }

  private static void assertRefused(Function<String, ?> parser, String text) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> parser.apply(text)).getMessage();
    assertTrue(message.contains(text), message);
    assertTrue(message.matches("(must|is) .*"), message);
  }
}
