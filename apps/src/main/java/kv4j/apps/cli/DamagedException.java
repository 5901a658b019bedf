package kv4j.apps.cli;

/** A check that came to its end and found something damaged. */
public final class DamagedException extends Exception {
  private static final long serialVersionUID = 1;

  /**
   * @param sentence what is damaged
   */
  public DamagedException(String sentence) {
    super(sentence);
  }
}
