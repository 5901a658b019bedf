package kv4j.inference.plan.run;

/**
 * One intermediate value of a plan, {@code [rows, columns]} on the Java heap. Registers whose
 * lifetimes do not overlap share an array of the arena.
 */
public final class Register {
  private final int columns;
  private float[] values;

  public Register(int columns) {
    this.columns = columns;
  }

  public int columns() {
    return columns;
  }

  /** Index of a row's first element. */
  public int at(int row) {
    return row * columns;
  }

  /** All rows, and room for more. */
  public float[] values() {
    return values;
  }

  void assign(float[] shared) {
    values = shared;
  }
}
