package kv4j.cache.store;

/** A stored value that cannot be read any more: as good as lost, and to be removed. */
public final class DamagedValueException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong with it
   * @param cause how that was found; may be null
   */
  public DamagedValueException(String message, Throwable cause) {
    super(message, cause);
  }
}
