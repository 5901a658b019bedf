package kv4j.apps.cli;

import java.util.List;

/** A run that came to its end and found its own answers wrong. */
public final class WrongAnswersException extends Exception {
  private static final long serialVersionUID = 1;

  /**
   * @param faults what is wrong, a clause each
   */
  public WrongAnswersException(List<String> faults) {
    super("WRONG ANSWERS: " + String.join("; ", faults));
  }
}
