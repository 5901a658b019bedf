package kv4j.model.chat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;

/**
 * A conversation as the model saw it, so that a prompt repeats its own answers id by id. A model
 * may write a text with other tokens than encoding that text gives; encoded anew, an answer would
 * be other ids than those whose keys and values a cache has.
 *
 * <p>A prompt is the template's text of all messages, always. As far as that text is the one of the
 * last prompt and of what was generated after it, the ids are those; from where the text differs,
 * or the template writes its end of the turn, it is encoded. Not thread-safe.
 */
public final class Transcript {
  /**
   * A stretch of a prompt.
   *
   * @param text what the template wrote; empty if generated
   */
  private record Piece(String text, int[] tokens, boolean generated) {}

  /** A prompt, and which of its tokens the model itself has written. */
  public static final class Prompt {
    private final List<Piece> pieces;
    private final int[] tokens;

    private Prompt(List<Piece> pieces) {
      this.pieces = List.copyOf(pieces);
      tokens = pieces.stream().flatMapToInt(piece -> IntStream.of(piece.tokens)).toArray();
    }

    /** All ids. */
    public int[] tokens() {
      return tokens.clone();
    }

    /** How many of so many leading tokens are ids of earlier answers. */
    public int answerTokens(int leading) {
      int answers = 0;
      int from = 0;
      for (Piece piece : pieces) {
        int within = Math.max(0, Math.min(piece.tokens.length, leading - from));
        answers += piece.generated ? within : 0;
        from += piece.tokens.length;
      }
      return answers;
    }
  }

  private final ChatTemplate template;
  private final Tokenizer tokenizer;
  private List<Piece> seen = List.of();

  /** Of a conversation that has not begun. */
  public Transcript(ChatTemplate template, Tokenizer tokenizer) {
    this.template = template;
    this.tokenizer = tokenizer;
  }

  /**
   * The conversation so far, on to where the model's next answer begins. Changes nothing.
   *
   * @throws IllegalArgumentException as {@link ChatTemplate#render}
   */
  public Prompt prompt(List<ChatMessage> messages) {
    String text = template.write(tokenizer, messages, true);
    int[] encoded = ChatTemplate.encode(tokenizer, text);
    List<Piece> kept = new ArrayList<>();
    List<Integer> ends = new ArrayList<>(); // in the text
    keep(text, kept, ends);
    while (!kept.isEmpty()) {
      String rest = text.substring(ends.get(ends.size() - 1));
      List<Piece> pieces = new ArrayList<>(kept);
      pieces.add(new Piece(rest, tokenizer.encodeMoreWithSpecial(rest), false));
      Prompt prompt = new Prompt(pieces);
      if (Arrays.equals(content(prompt.tokens), content(encoded))) {
        return prompt;
      }
      // What was generated as text reads like a special token, or the reverse.
      kept.remove(kept.size() - 1);
      ends.remove(ends.size() - 1);
    }
    return new Prompt(List.of(new Piece(text, encoded, false)));
  }

  /** Takes note of what the model wrote after a prompt; of an end token or a stop text too. */
  public void answered(Prompt prompt, int[] generated) {
    seen = new ArrayList<>(prompt.pieces);
    seen.add(new Piece("", generated.clone(), true));
  }

  /** What has been seen, as far as the text agrees, and where in the text each piece of it ends. */
  private void keep(String text, List<Piece> kept, List<Integer> ends) {
    int at = 0;
    for (Piece piece : seen) {
      if (!piece.generated) {
        if (!text.startsWith(piece.text, at)) {
          return;
        }
        at += piece.text.length();
        kept.add(piece);
        ends.add(at);
        continue;
      }
      byte[] rest = text.substring(at).getBytes(StandardCharsets.UTF_8);
      int[] same = Arrays.copyOf(piece.tokens, agreeing(piece.tokens, rest));
      int bytes = tokenizer.decodeBytes(same).length;
      at += new String(rest, 0, bytes, StandardCharsets.UTF_8).length();
      kept.add(new Piece("", same, true));
      ends.add(at);
      if (same.length < piece.tokens.length) {
        return;
      }
    }
  }

  /** How many leading tokens say together what a text begins with, up to whole characters. */
  private int agreeing(int[] tokens, byte[] text) {
    int agreeing = 0;
    int end = 0;
    for (int i = 0; i < tokens.length; i++) {
      byte[] bytes = tokens[i] < tokenizer.vocabulary() ? tokenizer.bytes(tokens[i]) : new byte[0];
      int next = end + bytes.length;
      if (bytes.length == 0
          || next > text.length
          || !Arrays.equals(bytes, 0, bytes.length, text, end, next)) {
        return agreeing;
      }
      end = next;
      boolean whole = end == text.length || (text[end] & 0xC0) != 0x80;
      agreeing = whole ? i + 1 : agreeing;
    }
    return agreeing;
  }

  /**
   * What ids say: bytes of text, and between 0xFF, which no UTF-8 has, the ids that have no text.
   * The spaces that some tokenizers put before what follows a special token are left out.
   */
  private byte[] content(int[] tokens) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    boolean leading = tokenizer.addsSpace();
    for (int token : tokens) {
      byte[] bytes = tokenizer.bytes(token);
      if (bytes.length == 0) {
        content.write(0xFF);
        content.writeBytes(Integer.toString(token).getBytes(StandardCharsets.US_ASCII));
        content.write(0xFF);
        leading = tokenizer.addsSpace();
      }
      for (byte b : bytes) {
        leading &= b == ' ';
        if (!leading) {
          content.write(b);
        }
      }
    }
    return content.toByteArray();
  }
}
