package kv4j.inference.schedule;

/** As many requests wait as may. */
public final class QueueFullException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int retrySeconds;

  QueueFullException(int waiting, int retrySeconds) {
    super(waiting + " requests are waiting already; try again in " + retrySeconds + " s");
    this.retrySeconds = retrySeconds;
  }

  /**
   * When to try again, in seconds from 1 to 60: about when half of those that wait will have
   * started, if requests go on to take as long as the last ones did.
   */
  public int retrySeconds() {
    return retrySeconds;
  }
}
