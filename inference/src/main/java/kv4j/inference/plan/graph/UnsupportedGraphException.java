package kv4j.inference.plan.graph;

/** Thrown when a graph has something that no step of a plan can do. */
public final class UnsupportedGraphException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  public UnsupportedGraphException(String what) {
    super("no plan for " + what);
  }
}
