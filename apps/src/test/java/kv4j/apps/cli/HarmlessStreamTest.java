package kv4j.apps.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HarmlessStreamTest {
  private static String shown(String text, boolean returns) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (HarmlessStream stream = new HarmlessStream(out, returns)) {
      for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
        stream.write(b);
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void textPasses() {
    String text = "a\tb\nGröße, 日本語, 😀, עברית\u200f, e\u0301 \u00a0 \ufffd\r\n";
    assertEquals(text, shown(text, false));
  }

  @ParameterizedTest
  @CsvSource({
    "1b,␛",
    "07,␇",
    "00,␀",
    "08,␈",
    "0b,␋",
    "7f,␡",
    "9b,<U+009B>",
    "85,<U+0085>",
    "202e,<U+202E>",
    "2066,<U+2066>",
    "2069,<U+2069>"
  })
  void controlsAreShown(String code, String shown) {
    String control = Character.toString(Integer.parseInt(code, 16));
    assertEquals("a" + shown + "[31mb", shown("a" + control + "[31mb", false));
    assertEquals(shown, shown(control, true));
  }

  @Test
  void aReturnPassesBeforeANewlineOnlyOrWhereProgressIsShown() {
    assertEquals("secret␍public\r\n", shown("secret\rpublic\r\n", false));
    assertEquals("1 of 2\r2 of 2\n", shown("1 of 2\r2 of 2\n", true));
  }

  /** No character of all that there are becomes another one unless it is a control. */
  @Test
  void everyCharacterIsShownOrPasses() {
    for (int code = 0; code <= Character.MAX_CODE_POINT; code++) {
      if (code == '\r' || code >= Character.MIN_SURROGATE && code <= Character.MAX_SURROGATE) {
        continue;
      }
      boolean control =
          Character.getType(code) == Character.CONTROL && code != '\n' && code != '\t';
      boolean turns = code >= 0x202A && code <= 0x202E || code >= 0x2066 && code <= 0x2069;
      String text = Character.toString(code);
      assertEquals(!control && !turns, shown(text, false).equals(text), Integer.toHexString(code));
    }
  }
}
