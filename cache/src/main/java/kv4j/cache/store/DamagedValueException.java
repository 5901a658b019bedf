package kv4j.cache.store;

/** A store has a value that is not what was put there. */
public final class DamagedValueException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DamagedValueException(String message, Throwable cause) {
    super(message, cause);
  }
}
