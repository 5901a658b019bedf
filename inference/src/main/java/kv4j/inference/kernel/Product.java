package kv4j.inference.kernel;

/**
 * Rows of activations times one matrix of weights. Rows are in Java heap arrays, {@code [rows,
 * inputs]} and {@code [rows, outputs]}. Stateless, so one instance serves all threads.
 */
public interface Product {
  int inputs();

  int outputs();

  /** Into how many parts the outputs can be shared out among threads. */
  int parts();

  /** Whether every part's weights have to be expanded before rows can be multiplied with them. */
  boolean expands();

  /**
   * Computes some parts of the outputs of some rows: {@code out = x · weights + bias}, or {@code
   * out += x · weights + bias}.
   *
   * @param x {@code [rows, inputs]}
   * @param fromRow first row to compute
   * @param toRow the row after the last
   * @param fromPart first part to compute, from 0
   * @param toPart the part after the last, at most {@link #parts}
   * @param bias {@code [outputs]}, or null
   * @param add whether to add to what {@code out} holds
   * @param out {@code [rows, outputs]}
   * @param scratch the calling thread's own
   */
  void run(
      float[] x,
      int fromRow,
      int toRow,
      int fromPart,
      int toPart,
      float[] bias,
      boolean add,
      float[] out,
      ProductScratch scratch);
}
