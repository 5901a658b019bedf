package kv4j.apps.bench;

import java.util.List;

/**
 * A forward pass to be timed: {@code rows} new tokens of a sequence of which {@code before} tokens
 * are in place.
 *
 * @param before tokens whose keys and values are in place
 * @param rows new tokens, at least 1
 */
public record Pass(int before, int rows) {
  private static final int WARM_ROWS = 32;

  public Pass {
    if (before < 0 || rows < 1) {
      throw new IllegalArgumentException(rows + " new tokens after " + before);
    }
  }

  /**
   * What a request at some length is made of: the whole prompt from nothing, its last 32 tokens
   * after the others, and one token after it.
   *
   * @param tokens of the prompt, more than 32
   */
  public static List<Pass> around(int tokens) {
    return List.of(
        new Pass(0, tokens), new Pass(tokens - WARM_ROWS, WARM_ROWS), new Pass(tokens, 1));
  }

  /** Length of the sequence afterwards. */
  public int end() {
    return before + rows;
  }

  /** Such as {@code prefill512}, {@code warm480_32} or {@code decode}. */
  public String name() {
    if (before == 0) {
      return "prefill" + rows;
    }
    return rows == 1 ? "decode" : "warm" + before + "_" + rows;
  }

  /** Such as {@code 32 after 480}. */
  public String label() {
    return before == 0 ? rows + " from 0" : rows + " after " + before;
  }
}
