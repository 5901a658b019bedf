package kv4j.apps.text;

import java.util.ArrayList;
import java.util.List;
import kv4j.model.Tokenizer;
import kv4j.model.tokenizer.StreamingDecoder;

/** Texts of single tokens. */
public final class TokenTexts {
  private TokenTexts() {}

  /**
   * A text for each token; put together they are the text of all. A character whose bytes are in
   * several tokens is in the text of the last of these, and what is no UTF-8 becomes U+FFFD.
   */
  public static List<String> of(Tokenizer tokenizer, int... tokens) {
    StreamingDecoder decoder = new StreamingDecoder(tokenizer);
    List<String> texts = new ArrayList<>(tokens.length);
    for (int token : tokens) {
      // A model may have more rows than its tokenizer has tokens, by way of padding.
      texts.add(token < tokenizer.vocabulary() ? decoder.next(token) : "");
    }
    if (decoder.isWaiting()) {
      texts.set(tokens.length - 1, texts.get(tokens.length - 1) + decoder.flush());
    }
    return texts;
  }
}
