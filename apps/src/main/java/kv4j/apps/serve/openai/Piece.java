package kv4j.apps.serve.openai;

import java.util.List;
import java.util.Optional;

/**
 * A stretch of an answer.
 *
 * @param answer which of the answers it is of, counted from 0 over all prompts
 * @param text perhaps empty
 * @param tokens how probable its tokens were; empty if nobody asked
 * @param finish why the answer ends with it, as OpenAI calls that; empty if it goes on
 */
public record Piece(int answer, String text, List<Token> tokens, Optional<String> finish) {
  /**
   * One of its tokens.
   *
   * @param offset where in the whole answer its text begins
   */
  public record Token(TokenProbability probability, int offset) {}

  public Piece {
    tokens = List.copyOf(tokens);
  }
}
