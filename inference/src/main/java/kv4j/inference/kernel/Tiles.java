package kv4j.inference.kernel;

import kv4j.model.weight.Panels;

/**
 * Adds products of some rows with some outputs of a panel, whose sums stay in registers: {@code out
 * += x · w}.
 *
 * <p>{@code x} is {@code [rows, stride]}, of which {@code depth} elements count; {@code w} is
 * {@code [depth, Panels.WIDTH]}, of which {@link #columns} elements count; {@code out} has {@link
 * #columns} elements in rows that are {@code outStride} apart.
 */
interface Tiles {
  /** Outputs of a tile; divides {@link Panels#WIDTH}. */
  int columns();

  /** Six rows. */
  void six(
      float[] x,
      int at,
      int stride,
      int depth,
      float[] w,
      int wAt,
      float[] out,
      int outAt,
      int outStride);

  /** Three rows. */
  void three(
      float[] x,
      int at,
      int stride,
      int depth,
      float[] w,
      int wAt,
      float[] out,
      int outAt,
      int outStride);

  /** Two rows. */
  void two(
      float[] x,
      int at,
      int stride,
      int depth,
      float[] w,
      int wAt,
      float[] out,
      int outAt,
      int outStride);

  /** One row. */
  void one(
      float[] x,
      int at,
      int stride,
      int depth,
      float[] w,
      int wAt,
      float[] out,
      int outAt,
      int outStride);
}
