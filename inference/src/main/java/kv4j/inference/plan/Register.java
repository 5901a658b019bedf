package kv4j.inference.plan;

/**
 * One intermediate value of a plan, {@code [rows, columns]}. Registers whose lifetimes do not
 * overlap share a matrix of the arena.
 */
final class Register {
  private final int columns;
  private NativeMatrix matrix;

  Register(int columns) {
    this.columns = columns;
  }

  int columns() {
    return columns;
  }

  NativeMatrix matrix() {
    return matrix;
  }

  void assign(NativeMatrix shared) {
    matrix = shared;
  }
}
