package kv4j.apps.eval;

import kv4j.apps.facts.Turn;

/**
 * What a model said.
 *
 * @param inConversation whether other turns came before
 */
public record Answer(Turn turn, boolean inConversation, String text) {
  /** Whether it is the right answer, letter by letter. */
  public boolean right() {
    return text.equals(turn.answer());
  }

  @Override
  public String toString() {
    return "%s -> %s (%s)".formatted(turn.question(), text, right() ? "right" : turn.answer());
  }
}
