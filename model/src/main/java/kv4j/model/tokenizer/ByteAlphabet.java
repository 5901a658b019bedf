package kv4j.model.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The characters by which byte-level vocabularies spell bytes (Radford et al. 2019): a printable
 * Latin-1 character stands for itself, and the others for U+0100 onwards in their order.
 */
final class ByteAlphabet {
  private static final char[] CHARACTERS = new char[256];
  private static final int[] BYTES = new int[256 + 256];

  static {
    Arrays.fill(BYTES, -1);
    char next = 256;
    for (int value = 0; value < 256; value++) {
      boolean printable =
          value >= '!' && value <= '~'
              || value >= '\u00A1' && value <= '\u00AC'
              || value >= '\u00AE';
      CHARACTERS[value] = printable ? (char) value : next++;
      BYTES[CHARACTERS[value]] = value;
    }
  }

  private ByteAlphabet() {}

  /** The character of a byte. */
  static char character(int value) {
    return CHARACTERS[value];
  }

  /** The bytes that a text spells; a character outside the alphabet is taken as UTF-8. */
  static byte[] bytes(String spelt) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(spelt.length());
    spelt
        .codePoints()
        .forEach(
            character -> {
              int value = character < BYTES.length ? BYTES[character] : -1;
              if (value >= 0) {
                bytes.write(value);
              } else {
                bytes.writeBytes(Character.toString(character).getBytes(StandardCharsets.UTF_8));
              }
            });
    return bytes.toByteArray();
  }
}
