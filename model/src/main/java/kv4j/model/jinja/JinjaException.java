package kv4j.model.jinja;

/** A template that cannot be parsed or run, or that refuses what it was given. */
public final class JinjaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Whose doing it is. */
  public enum Kind {
    /** The template is not Jinja. */
    SYNTAX,
    /** The template computes something that Python refuses too. */
    FAILURE,
    /** The template called {@code raise_exception}. */
    RAISED,
    /** The template needs what this evaluator leaves out, or more than it allows. */
    REFUSED
  }

  private final Kind kind;
  private final int line;

  private JinjaException(Kind kind, String message, int line, Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.line = line;
  }

  static JinjaException syntax(String message, int line) {
    return new JinjaException(Kind.SYNTAX, message, line, null);
  }

  static JinjaException failure(String message) {
    return new JinjaException(Kind.FAILURE, message, 0, null);
  }

  static JinjaException raised(String message) {
    return new JinjaException(Kind.RAISED, message, 0, null);
  }

  static JinjaException refused(String message) {
    return new JinjaException(Kind.REFUSED, message, 0, null);
  }

  /** The same with the line it arose in, unless one nearer to the cause is known already. */
  JinjaException at(int templateLine) {
    return line > 0 ? this : new JinjaException(kind, getMessage(), templateLine, this);
  }

  /** Whose doing it is. */
  public Kind kind() {
    return kind;
  }

  /** The line of the template, counted from 1; 0 if unknown. */
  public int line() {
    return line;
  }
}
