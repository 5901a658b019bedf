package kv4j.apps.measure;

import kv4j.inference.schedule.TokenListener;

/**
 * Compares a request's tokens, as they come, with those it got before. Where they part between two
 * tokens whose logits are as good as equal, either is right, and they are compared no further, as
 * {@link Agreement} does.
 */
public final class TokenCheck implements TokenListener {
  private final int[] expected;
  private int step;
  private boolean agrees = true;

  /**
   * @param expected the tokens it got before; more than these are not compared
   */
  public TokenCheck(int[] expected) {
    this.expected = expected;
  }

  @Override
  public boolean token(int token, float[] logits) {
    if (step < expected.length) {
      int before = expected[step++];
      if (token != before) {
        step = expected.length;
        agrees = Agreement.asGoodAsEqual(logits, token, before);
      }
    }
    return true;
  }

  /** Whether none was different; to be asked once the request has ended. */
  public boolean agrees() {
    return agrees;
  }
}
