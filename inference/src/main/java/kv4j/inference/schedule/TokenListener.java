package kv4j.inference.schedule;

/**
 * Told of a request's tokens as soon as each is known. It is called on the scheduler's thread,
 * between two passes of all requests, or two layers of one, and so must not block. What it throws
 * fails its own request and no other.
 */
@FunctionalInterface
public interface TokenListener {
  /** Lets a request have all its tokens. */
  TokenListener NONE = (token, logits) -> true;

  /**
   * A chunk of the prompt was computed; after a preemption perhaps once more.
   *
   * @param tokens how many of the prompt's tokens are in place
   */
  default void prefilled(int tokens) {}

  /**
   * Takes the next token.
   *
   * @param logits what it was picked from, {@code [vocabulary]}; not to be modified
   * @return whether to go on; false makes it the last token
   */
  boolean token(int token, float[] logits);
}
