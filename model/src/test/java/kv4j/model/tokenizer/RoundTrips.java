package kv4j.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;

/** Random texts and bytes through a tokenizer and back, whole and token by token. */
final class RoundTrips {
  private static final String COMMON = "  \n\t\r aeinorst'SLVE19.,!?\u00A0\u00E9\u4E2D\u0301";

  private RoundTrips() {}

  static void assertRoundTrips(Tokenizer tokenizer, int cases, long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < cases; i++) {
      String text = text(random);
      String what = "seed " + seed + " case " + i;
      int[] tokens = tokenizer.encode(text);
      assertTrue(
          IntStream.of(tokens).allMatch(token -> token >= 0 && token < tokenizer.vocabulary()));
      assertEquals(text, tokenizer.decode(tokens), what);
      assertEquals(
          (tokenizer.addsSpace() && !text.isEmpty() ? " " : "") + text,
          stream(tokenizer, tokens),
          what);

      byte[] bytes = new byte[random.nextInt(12)];
      random.nextBytes(bytes);
      byte[] back = tokenizer.decodeBytes(tokenizer.encode(bytes));
      int from = tokenizer.addsSpace() && back.length > bytes.length ? 1 : 0;
      assertArrayEquals(bytes, Arrays.copyOfRange(back, from, back.length), what);
      assertEquals(
          new String(back, StandardCharsets.UTF_8),
          stream(tokenizer, tokenizer.encode(bytes)),
          what);
    }
  }

  /** A random text without U+2581, which SentencePiece cannot tell from a space. */
  static String text(Random random) {
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(30); length > 0; length--) {
      int character =
          random.nextBoolean()
              ? COMMON.charAt(random.nextInt(COMMON.length()))
              : random.nextInt(random.nextBoolean() ? 0x3000 : 0x110000);
      boolean surrogate = character >= 0xD800 && character < 0xE000;
      text.appendCodePoint(surrogate || character == 0x2581 ? 'x' : character);
    }
    return text.toString();
  }

  static String stream(Tokenizer tokenizer, int... tokens) {
    StreamingDecoder decoder = new StreamingDecoder(tokenizer);
    StringBuilder text = new StringBuilder();
    for (int token : tokens) {
      String piece = decoder.next(token);
      if (!piece.isEmpty()) {
        assertTrue(!Character.isLowSurrogate(piece.charAt(0)), "half a character");
        assertTrue(
            !Character.isHighSurrogate(piece.charAt(piece.length() - 1)), "half a character");
      }
      text.append(piece);
    }
    return text.append(decoder.flush()).toString();
  }
}
