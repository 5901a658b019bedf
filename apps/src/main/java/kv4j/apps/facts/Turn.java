package kv4j.apps.facts;

/**
 * A question and its right answer.
 *
 * @param form how it is asked
 */
public record Turn(Form form, String question, String answer) {
  /** The answer to what a page does not say. */
  public static final String UNKNOWN = "I do not know.";

  /** How a question is asked. */
  public enum Form {
    /** By name, for what the page says. */
    DIRECT,
    /** For the same as before about somebody else, or by a pronoun; so it needs the last turn. */
    FOLLOW_UP,
    /** For what the page does not say. */
    MISSING,
    /** No question for a fact. */
    SMALL_TALK
  }
}
