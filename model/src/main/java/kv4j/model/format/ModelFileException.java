package kv4j.model.format;

import java.util.function.IntPredicate;

/** A model file that cannot be used; the message is one sentence that names it and says why. */
public final class ModelFileException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  private static final int LONGEST_NAME = 80;

  /**
   * @param origin the file or folder
   * @param wrong what is wrong with it
   */
  public ModelFileException(String origin, String wrong) {
    super(origin + ": " + wrong);
  }

  /**
   * @param origin the file or folder
   * @param wrong what is wrong with it
   * @param cause what it was noticed by
   */
  public ModelFileException(String origin, String wrong, Throwable cause) {
    super(origin + ": " + wrong, cause);
  }

  /** What a failure to read or write says, without the file's name once more. */
  static String reason(String origin, Throwable failure) {
    String kind = failure.getClass().getSimpleName();
    String said = failure.getMessage();
    return said == null || said.equals(origin) ? kind : kind + ": " + printable(said);
  }

  /** A name as found in a file, made fit for a message: not too long, and on one line. */
  public static String printable(String name) {
    String start = name.length() > LONGEST_NAME ? name.substring(0, LONGEST_NAME) + "..." : name;
    IntPredicate odd = c -> Character.isISOControl(c) || !Character.isDefined(c) || c == 0x2028;
    StringBuilder text = new StringBuilder();
    start.codePoints().map(c -> odd.test(c) ? '?' : c).forEach(text::appendCodePoint);
    return text.toString();
  }
}
