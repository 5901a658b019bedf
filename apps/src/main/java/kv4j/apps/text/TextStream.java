package kv4j.apps.text;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import kv4j.model.Tokenizer;
import kv4j.model.tokenizer.StreamingDecoder;

/**
 * Makes text of tokens as they are generated, up to an end token or a stop text. What may yet turn
 * out to be the beginning of a stop text is held back.
 */
public final class TextStream {
  private final Tokenizer tokenizer;
  private final StreamingDecoder decoder;
  private final List<String> stops;
  private final Consumer<String> out;
  private final IntStream.Builder tokens = IntStream.builder();
  private final StringBuilder text = new StringBuilder();
  private int shown;
  private boolean cut;

  /**
   * @param stops texts before which the text ends; none is empty
   * @param out takes the text piece by piece
   */
  public TextStream(Tokenizer tokenizer, List<String> stops, Consumer<String> out) {
    this.tokenizer = tokenizer;
    decoder = new StreamingDecoder(tokenizer);
    this.stops = List.copyOf(stops);
    this.out = out;
  }

  /** Takes the next token; false if it is the last. An end token is no part of the result. */
  public boolean next(int token) {
    if (tokenizer.endTokens().contains(token)) {
      return false;
    }
    tokens.add(token);
    // A model may have more rows than its tokenizer has tokens, by way of padding.
    add(token < tokenizer.vocabulary() ? decoder.next(token) : "");
    return !cut;
  }

  /** Shows what was held back; nothing more is to come. */
  public void end() {
    if (!cut) {
      add(decoder.flush());
      show(text.length());
    }
  }

  private void add(String more) {
    text.append(more);
    int end = -1;
    for (String stop : stops) {
      int at = text.indexOf(stop, Math.max(0, shown - stop.length()));
      end = at >= 0 && (end < 0 || at < end) ? at : end;
    }
    if (end >= 0) {
      text.setLength(end);
      cut = true;
    }
    show(cut ? text.length() : text.length() - undecided());
  }

  /** Length of the longest end of the text that a stop text begins with. */
  private int undecided() {
    int longest = 0;
    for (String stop : stops) {
      for (int length = Math.min(stop.length() - 1, text.length()); length > longest; length--) {
        if (text.substring(text.length() - length).equals(stop.substring(0, length))) {
          longest = length;
        }
      }
    }
    return longest;
  }

  private void show(int end) {
    if (end > shown) {
      out.accept(text.substring(shown, end));
      shown = end;
    }
  }

  /** All tokens so far, those of a stop text among them. */
  public int[] tokens() {
    return tokens.build().toArray();
  }

  /** All text so far, without what is held back. */
  public String text() {
    return text.substring(0, shown);
  }
}
