package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import kv4j.model.ByteTokenizer;
import org.junit.jupiter.api.Test;

class StreamingDecoderTest {
  private final ByteTokenizer bytes = new ByteTokenizer();
  private final StreamingDecoder decoder = new StreamingDecoder(bytes);

  @Test
  void aCharacterComesWithItsLastByte() {
    assertEquals("a", decoder.next('a'));
    assertEquals("", decoder.next(0xF0));
    assertEquals("", decoder.next(0x9F));
    assertEquals("", decoder.next(bytes.endToken()));
    assertEquals("", decoder.next(0x98));
    assertEquals("\uD83D\uDE00", decoder.next(0x80));
    assertEquals("", decoder.flush());
  }

  @Test
  void whatIsNoUtf8ComesAsSoonAsThatIsSure() {
    assertEquals("\uFFFD", decoder.next(0xFF));
    assertEquals("", decoder.next(0xC3));
    assertEquals("\uFFFDa", decoder.next('a'));
    assertEquals("", decoder.next(0xE2));
    assertEquals("\uFFFD", decoder.flush());
    assertEquals("b", decoder.next('b'));
  }

  @Test
  void theTextsTogetherAreTheWhole() {
    long seed = 88;
    Random random = new Random(seed);
    for (int i = 0; i < 5000; i++) {
      int[] tokens = new int[random.nextInt(12)];
      for (int t = 0; t < tokens.length; t++) {
        tokens[t] = random.nextInt(3) == 0 ? random.nextInt(128) : 0x80 + random.nextInt(0x7F);
      }
      String whole = new String(bytes.decodeBytes(tokens), StandardCharsets.UTF_8);
      assertEquals(whole, RoundTrips.stream(bytes, tokens), "seed " + seed + " case " + i);
    }
  }

  @Test
  void refusesAnUnknownId() {
    assertThrows(IllegalArgumentException.class, () -> decoder.next(bytes.vocabulary()));
  }
}
