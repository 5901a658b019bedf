package kv4j.apps.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Takes UTF-8 on its way to a terminal and shows the characters that would move its cursor, change
 * its title, put words into its input or turn text around, instead of sending them: what a model
 * writes, and what stands in a model file, is another's text. Only newlines and tabs pass.
 *
 * <p>Shown are the controls of ASCII as Unicode's pictures of them, such as {@code ␛}; the controls
 * U+0080 to U+009F and those of bidirectional text (embeddings, overrides and isolates) as {@code
 * <U+202E>}.
 */
final class HarmlessStream extends FilterOutputStream {
  private static final int DELETE = 0x7F;
  private static final int LONGEST = 4;

  private final boolean returns;
  private final byte[] character = new byte[LONGEST];
  private int length;
  private int wanted;
  private boolean returned;

  /**
   * @param returns whether carriage returns pass, by which progress is shown; else only those
   *     before a newline do
   */
  HarmlessStream(OutputStream terminal, boolean returns) {
    super(terminal);
    this.returns = returns;
  }

  @Override
  public void write(int value) throws IOException {
    int b = value & 0xFF;
    if (wanted == 0) {
      // What is no UTF-8 passes: terminals that take UTF-8 do not take it for anything.
      wanted = b < 0xC2 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : b < 0xF5 ? 4 : 1;
    }
    character[length++] = (byte) b;
    if (length == wanted) {
      show();
    }
  }

  @Override
  public void write(byte[] bytes, int offset, int count) throws IOException {
    for (int i = offset; i < offset + count; i++) {
      write(bytes[i]);
    }
  }

  private void show() throws IOException {
    int size = length;
    length = 0;
    wanted = 0;
    if (size == 1) {
      showAscii(character[0]);
      return;
    }
    putReturn();
    int code = new String(character, 0, size, StandardCharsets.UTF_8).codePointAt(0);
    if (code >= 0x80 && code < 0xA0
        || code >= 0x202A && code <= 0x202E
        || code >= 0x2066 && code <= 0x2069) {
      put("<U+%04X>".formatted(code));
    } else {
      out.write(character, 0, size);
    }
  }

  private void showAscii(int c) throws IOException {
    if (c == '\n' && returned) {
      returned = false;
      out.write('\r');
    }
    putReturn();
    if (c == '\r' && !returns) {
      returned = true;
    } else if (c >= 0 && c < ' ' && c != '\n' && c != '\t' && c != '\r') {
      put(Character.toString(0x2400 + c));
    } else if (c == DELETE) {
      put("\u2421");
    } else {
      out.write(c);
    }
  }

  /** Shows a carriage return after which no newline came. */
  private void putReturn() throws IOException {
    if (returned) {
      returned = false;
      put("\u240D");
    }
  }

  private void put(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }
}
