package kv4j.model.chat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;
import kv4j.model.tokenizer.StreamingDecoder;

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

    /** Number of ids. */
    public int length() {
      return tokens.length;
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
      if (content(prompt.tokens).equals(content(encoded))) {
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
      int[] same = Arrays.copyOf(piece.tokens, agreeing(piece.tokens, text.substring(at)));
      at += text(same).length();
      kept.add(new Piece("", same, true));
      ends.add(at);
      if (same.length < piece.tokens.length) {
        return;
      }
    }
  }

  /** How many leading tokens say together what a text begins with, up to whole characters. */
  private int agreeing(int[] tokens, String text) {
    StreamingDecoder decoder = new StreamingDecoder(tokenizer);
    int agreeing = 0;
    int end = 0;
    for (int i = 0; i < tokens.length; i++) {
      if (tokens[i] >= tokenizer.vocabulary() || tokenizer.bytes(tokens[i]).length == 0) {
        return agreeing; // which no text can say
      }
      String said = decoder.next(tokens[i]);
      if (!text.startsWith(said, end)) {
        return agreeing;
      }
      end += said.length();
      agreeing = decoder.isWaiting() ? agreeing : i + 1;
    }
    return text.startsWith(decoder.flush(), end) ? tokens.length : agreeing;
  }

  private String text(int[] tokens) {
    return new String(tokenizer.decodeBytes(tokens), StandardCharsets.UTF_8);
  }

  /**
   * What ids say: each id that has no text, and the texts between them, without the spaces that
   * some tokenizers put before what follows a special token.
   */
  private List<Object> content(int[] tokens) {
    List<Object> content = new ArrayList<>();
    int from = 0;
    for (int i = 0; i <= tokens.length; i++) {
      if (i == tokens.length || tokenizer.bytes(tokens[i]).length == 0) {
        String text = text(Arrays.copyOfRange(tokens, from, i));
        content.add(tokenizer.addsSpace() ? text.replaceFirst("^ +", "") : text);
        content.add(i < tokens.length ? tokens[i] : "");
        from = i + 1;
      }
    }
    return content;
  }
}
