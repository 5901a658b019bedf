package kv4j.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ByteTokenizerTest {
  private final ByteTokenizer tokenizer = new ByteTokenizer();

  @Test
  void anyBytesComeBack() {
    for (int seed = 0; seed < 100; seed++) {
      Random random = new Random(seed);
      byte[] bytes = new byte[random.nextInt(50)];
      random.nextBytes(bytes);
      int[] tokens = tokenizer.encode(bytes);
      assertTrue(Arrays.stream(tokens).allMatch(t -> t >= 0 && t < 256), "seed " + seed);
      assertArrayEquals(bytes, tokenizer.decodeBytes(tokens), "seed " + seed);
    }
  }

  @Test
  void anyTextComesBack() {
    for (int seed = 0; seed < 100; seed++) {
      StringBuilder text = new StringBuilder();
      new Random(seed)
          .ints(30, 0, Character.MAX_CODE_POINT + 1)
          .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
          .forEach(text::appendCodePoint);
      String expected = text.toString();
      assertEquals(expected, tokenizer.decode(tokenizer.encode(expected)), "seed " + seed);
    }
  }

  @Test
  void idsAreUtf8Bytes() {
    assertArrayEquals(new int[] {'h', 0xC3, 0xA9}, tokenizer.encode("h\u00e9"));
    assertArrayEquals(new int[0], tokenizer.encode(""));
  }

  @Test
  void bytesThatAreNotUtf8BecomeReplacementCharacters() {
    assertEquals("a\uFFFDb", tokenizer.decode('a', 0xC3, 'b'));
    assertEquals("\uFFFD", tokenizer.decode(0xFF));
  }

  @Test
  void beginAndEndAreLeftOutOfText() {
    int begin = tokenizer.beginToken();
    int end = tokenizer.endToken();
    assertEquals("ab", tokenizer.decode(begin, 'a', end, 'b'));
    assertEquals(258, tokenizer.vocabulary());
    assertTrue(begin != end && begin >= 256 && end >= 256 && begin < 258 && end < 258);
  }

  @Test
  void refusesIdsOutsideTheVocabulary() {
    assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(258));
    assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(-1));
  }
}
