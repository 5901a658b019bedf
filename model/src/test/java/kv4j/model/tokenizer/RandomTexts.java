package kv4j.model.tokenizer;

import java.util.List;
import java.util.Random;

/**
 * Random texts made of what tokenizers are known to cut differently, in characters that the running
 * Java knows.
 */
final class RandomTexts {
  private static final List<String> SUFFIXES =
      List.of(
          "'s", "'S", "'t", "'re", "'RE", "'vE", "'m", "'ll", "'lL", "'d", "'D", "\u2019s", "'x");
  private static final List<String> WORDS =
      List.of("hello", "World", "I", "don", "the", "Stra\u00DFe", "na\u00EFve", "\u0130", "\u017F");
  private static final List<String> SPACES =
      List.of(" ", "  ", "    ", "\n", "\r\n", "\r", "\t", "\n\n", "\u00A0", "\u3000", "\u2028");
  private static final List<String> EMOJI =
      List.of(
          "\uD83D\uDE00",
          "\uD83D\uDC68\u200D\uD83D\uDC69\u200D\uD83D\uDC67",
          "\uD83D\uDC4D\uD83C\uDFFD",
          "\u2764\uFE0F",
          "\uD83C\uDDE9\uD83C\uDDEA",
          "1\uFE0F\u20E3");
  private static final List<String> CODE =
      List.of(
          "for (int i = 0; i < n; i++) {",
          "}\n",
          "\treturn x->y;\n",
          "def f(a, b=1):\n",
          "    pass\n",
          "<div class=\"a\">",
          "// ---- \n",
          "!=",
          "&&",
          "\\u0041",
          "#!/bin/sh",
          "0x1F",
          "1_000.5e-3",
          "${a}",
          "_",
          "a_b-c.d");
  private static final List<String> SPECIAL =
      List.of("<|im_end|>", "<|eot_id|>", "</s>", "<s>", "[INST]", "<<SYS>>", "<think>", "<0x0A>");
  private static final List<int[]> SCRIPTS =
      List.of(
          new int[] {0x20, 0x7F}, // ASCII
          new int[] {0xA0, 0x250}, // Latin
          new int[] {0x370, 0x530}, // Greek and Cyrillic
          new int[] {0x590, 0x700}, // Hebrew and Arabic, with points
          new int[] {0x900, 0xE80}, // Indic and Thai
          new int[] {0x3040, 0x3100}, // kana
          new int[] {0x4E00, 0x9FFF}, // Han
          new int[] {0xAC00, 0xD7A4}, // Hangul
          new int[] {0x2000, 0x2C00}, // punctuation, signs, numbers
          new int[] {0x1D400, 0x1D800}, // mathematical letters
          new int[] {0x1F300, 0x1FA00}, // pictures
          new int[] {0x20000, 0x2A6DF}, // rare Han
          new int[] {1, 0x110000});

  private final Random random;

  RandomTexts(Random random) {
    this.random = random;
  }

  /** A text of a few pieces of different kinds. */
  String next() {
    StringBuilder text = new StringBuilder();
    for (int pieces = random.nextInt(13); pieces > 0; pieces--) {
      switch (random.nextInt(9)) {
        case 0 -> text.append(any(WORDS)).append(random.nextBoolean() ? any(SUFFIXES) : " ");
        case 1 -> repeat(text, any(SPACES), 5);
        case 2 -> repeat(text, any(EMOJI), 2);
        case 3 -> text.append(any(CODE));
        case 4 -> digits(text);
        case 5 -> marks(text);
        case 6 -> text.append(random.nextInt(4) == 0 ? any(SPECIAL) : any(WORDS));
        default -> script(text);
      }
      if (random.nextInt(3) == 0) {
        text.append(' ');
      }
    }
    return text.toString();
  }

  private void repeat(StringBuilder text, String piece, int most) {
    text.append(piece.repeat(1 + random.nextInt(most)));
  }

  private void digits(StringBuilder text) {
    int zero = random.nextInt(4) == 0 ? 0x660 : '0';
    for (int left = 1 + random.nextInt(10); left > 0; left--) {
      text.append((char) (zero + random.nextInt(10)));
    }
  }

  /** Letters with combining marks, which composition would join. */
  private void marks(StringBuilder text) {
    for (int left = 1 + random.nextInt(4); left > 0; left--) {
      text.append("aeEnouAz".charAt(random.nextInt(8)));
      text.append((char) (0x300 + random.nextInt(0x70)));
    }
  }

  private void script(StringBuilder text) {
    int[] range = SCRIPTS.get(random.nextInt(SCRIPTS.size()));
    for (int left = 1 + random.nextInt(6); left > 0; left--) {
      int character = range[0] + random.nextInt(range[1] - range[0]);
      boolean surrogate = Character.getType(character) == Character.SURROGATE;
      // SentencePiece cannot tell U+2581 from a space.
      boolean usable = Character.isDefined(character) && !surrogate && character != 0x2581;
      text.appendCodePoint(usable ? character : 'x');
    }
  }

  private String any(List<String> pieces) {
    return pieces.get(random.nextInt(pieces.size()));
  }
}
