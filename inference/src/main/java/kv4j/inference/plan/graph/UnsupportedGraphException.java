package kv4j.inference.plan.graph;

/** Thrown for a graph that no plan can run; the message says what it has or lacks. */
public final class UnsupportedGraphException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  public UnsupportedGraphException(String what) {
    super("no plan for " + what);
  }
}
