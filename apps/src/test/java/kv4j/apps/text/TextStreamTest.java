package kv4j.apps.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import kv4j.model.ByteTokenizer;
import org.junit.jupiter.api.Test;

class TextStreamTest {
  private static final ByteTokenizer BYTES = new ByteTokenizer();

  private final List<String> shown = new ArrayList<>();

  private TextStream stream(String... stops) {
    return new TextStream(BYTES, List.of(stops), shown::add);
  }

  /** Number of tokens taken before the stream wants no more. */
  private static int feed(TextStream stream, String text) {
    int taken = 0;
    for (int token : BYTES.encode(text)) {
      taken++;
      if (!stream.next(token)) {
        break;
      }
    }
    return taken;
  }

  @Test
  void neverSplitsACharacter() {
    TextStream stream = stream();
    feed(stream, "aé€😀");
    assertEquals(List.of("a", "é", "€", "😀"), shown);
    stream.next(0xe2);
    assertEquals("aé€😀", stream.text());
    stream.end();
    assertEquals("aé€😀\ufffd", stream.text());
  }

  @Test
  void holdsBackWhatMayBecomeAStopText() {
    TextStream stream = stream("END.", "NDX");
    feed(stream, "aEN");
    assertEquals(List.of("a"), shown);
    feed(stream, "DEN");
    assertEquals("aEND", stream.text());
    assertEquals(3, feed(stream, "D.more") + 1);
    assertEquals("aEND", stream.text());
    stream.end();
    assertEquals("aEND", String.join("", shown));
    assertArrayEquals(BYTES.encode("aENDEND."), stream.tokens());
  }

  @Test
  void showsAtTheEndWhatWasNoStopText() {
    TextStream stream = stream("stop");
    feed(stream, "sto");
    assertEquals("", stream.text());
    stream.end();
    assertEquals("sto", stream.text());
  }

  @Test
  void endTokensEndItAndAreNoPartOfIt() {
    TextStream stream = stream();
    assertTrue(stream.next('a'));
    assertFalse(stream.next(BYTES.endToken()));
    stream.end();
    assertEquals("a", stream.text());
    assertArrayEquals(new int[] {'a'}, stream.tokens());
  }
}
