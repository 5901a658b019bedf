package kv4j.inference.plan.run;

/**
 * One intermediate value of a plan, {@code [rows, columns]}. Registers whose lifetimes do not
 * overlap share a matrix of the arena.
 */
public final class Register {
  private final int columns;
  private NativeMatrix matrix;

  public Register(int columns) {
    this.columns = columns;
  }

  public int columns() {
    return columns;
  }

  public NativeMatrix matrix() {
    return matrix;
  }

  public void assign(NativeMatrix shared) {
    matrix = shared;
  }
}
