package kv4j.apps.serve;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import kv4j.apps.serve.host.RequestRecord;
import kv4j.apps.serve.openai.Piece;
import kv4j.apps.serve.openai.Settings;
import kv4j.apps.serve.openai.TokenProbability;
import kv4j.apps.text.TextStream;
import kv4j.inference.schedule.TokenListener;
import kv4j.model.Tokenizer;
import kv4j.model.tokenizer.StreamingDecoder;

/**
 * One answer while it is generated: makes pieces of text of its tokens. Used by one thread at a
 * time, first that which generates.
 */
final class Answer implements TokenListener {
  private final int index;
  private final Settings settings;
  private final Tokenizer tokenizer;
  private final StreamingDecoder decoder;
  private final TextStream text;
  private final StringBuilder shown = new StringBuilder();
  private final Deque<Piece.Token> held = new ArrayDeque<>();
  private final Consumer<Piece> out;
  private final RequestRecord record;
  private int offset;
  private boolean stopped;

  /**
   * @param index of the answer among those to the request
   * @param out takes its pieces, but for the last
   * @param record takes note of what comes of it
   */
  Answer(
      int index,
      Settings settings,
      Tokenizer tokenizer,
      Consumer<Piece> out,
      RequestRecord record) {
    this.index = index;
    this.settings = settings;
    this.tokenizer = tokenizer;
    this.out = out;
    this.record = record;
    decoder = new StreamingDecoder(tokenizer);
    text = new TextStream(tokenizer, settings.stops(), shown::append);
  }

  @Override
  public void prefilled(int tokens) {
    record.prefilled(tokens);
  }

  @Override
  public boolean token(int token, float[] row) {
    record.token(token);
    if (settings.logprobs().isPresent() && !tokenizer.endTokens().contains(token)) {
      int top = settings.logprobs().getAsInt();
      held.add(new Piece.Token(TokenProbability.of(token, row, top), offset));
      offset += token < tokenizer.vocabulary() ? decoder.next(token).length() : 0;
    }
    stopped = !text.next(token);
    if (shown.length() > 0) {
      out.accept(piece(text.text().length(), Optional.empty()));
    }
    return !stopped;
  }

  /** The last piece, once no more tokens are to come. */
  Piece end() {
    text.end();
    // A text that was cut ends before the tokens of its stop text.
    int end = stopped ? text.text().length() : Integer.MAX_VALUE;
    return piece(end, Optional.of(stopped ? "stop" : "length"));
  }

  private Piece piece(int end, Optional<String> finish) {
    List<Piece.Token> tokens = new ArrayList<>();
    while (!held.isEmpty() && held.peek().offset() < end) {
      tokens.add(held.remove());
    }
    Piece piece = new Piece(index, shown.toString(), tokens, finish);
    shown.setLength(0);
    return piece;
  }
}
