package kv4j.model.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import kv4j.model.Tokenizer;

/**
 * Turns ids into text one by one, as a generation gives them, without ever splitting a character:
 * bytes that begin one wait for the rest. Not thread-safe.
 *
 * <p>The texts put together are what {@link Tokenizer#decodeBytes} gives for all ids together, as
 * UTF-8; what is not UTF-8 becomes U+FFFD. A first token that begins with a space keeps it, since
 * the ids go on after a prompt.
 */
public final class StreamingDecoder {
  private final Tokenizer tokenizer;
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private byte[] waiting = {};

  /** A decoder that has seen nothing. */
  public StreamingDecoder(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * Takes the next id and gives the text that is complete with it, perhaps empty.
   *
   * @throws IllegalArgumentException if the id is not of the tokenizer's vocabulary
   */
  public String next(int token) {
    return decode(tokenizer.bytes(token), false);
  }

  /** Whether the last id ended amid a character. */
  public boolean isWaiting() {
    return waiting.length > 0;
  }

  /** Gives what was waiting for bytes that did not come, and begins anew. */
  public String flush() {
    String text = decode(new byte[0], true);
    decoder.reset();
    return text;
  }

  private String decode(byte[] bytes, boolean last) {
    ByteArrayOutputStream all = new ByteArrayOutputStream(waiting.length + bytes.length);
    all.writeBytes(waiting);
    all.writeBytes(bytes);
    ByteBuffer in = ByteBuffer.wrap(all.toByteArray());
    // UTF-8 never has more chars than bytes.
    CharBuffer out = CharBuffer.allocate(in.capacity());
    decoder.decode(in, out, last);
    waiting = new byte[in.remaining()];
    in.get(waiting);
    return out.flip().toString();
  }
}
