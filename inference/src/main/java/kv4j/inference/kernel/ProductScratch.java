package kv4j.inference.kernel;

import kv4j.model.weight.Panels;
import org.bytedeco.javacpp.FloatPointer;

/** Memory that products work in: a thread's own, which stays in its core's cache. */
public final class ProductScratch {
  /** Inputs that are multiplied at a time: a panel's weights for them fit the second cache. */
  static final int DEPTH = 256;

  static final int MOST_ROWS = 6;

  /** A panel's weights for some inputs, expanded: {@code [DEPTH, Panels.WIDTH]}. */
  final float[] weights = new float[DEPTH * Panels.WIDTH];

  /** Sums where a panel is not full: {@code [MOST_ROWS, Panels.WIDTH]}. */
  final float[] sums = new float[MOST_ROWS * Panels.WIDTH];

  /** Sums of the numbers of one or two runs, before they are scaled. */
  final float[] unscaled = new float[2 * Panels.WIDTH];

  /** Scales of a panel's outputs. */
  final float[] scales = new float[Panels.WIDTH];

  /** What is taken off for each output. */
  final float[] offsets = new float[Panels.WIDTH];

  private FloatPointer blasInput;
  private FloatPointer blasOutput;
  private float[] blasRow = {};

  /** Room outside the Java heap for what BLAS reads. */
  FloatPointer blasInput(int elements) {
    return blasInput = atLeast(elements, blasInput);
  }

  /** Room outside the Java heap for what BLAS writes. */
  FloatPointer blasOutput(int elements) {
    return blasOutput = atLeast(elements, blasOutput);
  }

  private static FloatPointer atLeast(int elements, FloatPointer now) {
    if (now != null && now.capacity() >= elements) {
      return now;
    }
    if (now != null) {
      now.close();
    }
    return new FloatPointer(elements);
  }

  /** Room for a row on its way back. */
  float[] blasRow(int elements) {
    if (blasRow.length < elements) {
      blasRow = new float[elements];
    }
    return blasRow;
  }
}
