package kv4j.apps.serve.engine;

/** An engine has as many requests as it may keep waiting. */
public final class QueueFullException extends Exception {
  private static final long serialVersionUID = 1;

  /** As many are waiting already. */
  public QueueFullException(int waiting) {
    super("the server has as many requests as it takes, %d of them waiting".formatted(waiting));
  }
}
