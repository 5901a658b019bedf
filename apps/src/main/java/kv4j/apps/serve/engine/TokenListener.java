package kv4j.apps.serve.engine;

import kv4j.cache.Lookup;

/**
 * Told of what comes of a request, on the thread that computes it: whatever takes long here delays
 * other requests, and what it throws fails this one.
 */
public interface TokenListener {
  /** It no longer waits, and this is what the cache had of it. */
  default void admitted(Lookup lookup) {}

  /**
   * A chunk of the prompt was computed.
   *
   * @param tokens how many of the prompt's tokens are in place
   */
  default void prefilled(int tokens) {}

  /**
   * A token was picked.
   *
   * @param row the logits it was picked from, {@code [vocabulary]}; not to be modified
   * @return false to make it the last
   */
  boolean token(int token, float[] row);
}
