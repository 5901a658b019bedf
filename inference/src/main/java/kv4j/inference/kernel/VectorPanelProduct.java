package kv4j.inference.kernel;

import java.util.List;
import kv4j.model.format.block.TensorType;
import kv4j.model.weight.PanelMatrix;
import kv4j.model.weight.Panels;

/**
 * Products on the Java Vector API. Each panel is gone through in stretches of inputs that stay in a
 * core's cache, with all rows: six at a time, then three, then one by one. A panel of a type that
 * is no float is expanded stretch by stretch; with a single row the sums are formed on the packed
 * numbers themselves.
 *
 * <p>The order of a sum depends on nothing but the inputs, so that a row's result is the same in
 * whatever company it is computed; only single rows of packed weights differ in the last bits.
 */
final class VectorPanelProduct implements Product {
  private static final float[] ZEROS = new float[Panels.WIDTH];

  /**
   * Inputs of a stretch of floats, whose weights then fit the first cache beside six rows. (Blocks
   * of other types are longer.)
   */
  private static final int FLOAT_DEPTH = 128;

  private final PanelMatrix matrix;
  private final Tiles tiles;
  private final Panels[] panels;
  private final int[] numbers;
  private final int[] columns;
  private final boolean expands;

  VectorPanelProduct(PanelMatrix matrix, Tiles tiles) {
    this.matrix = matrix;
    this.tiles = tiles;
    List<Panels> all = matrix.panels();
    int count = all.stream().mapToInt(Panels::count).sum();
    panels = new Panels[count];
    numbers = new int[count];
    columns = new int[count];
    int part = 0;
    for (Panels some : all) {
      for (int panel = 0; panel < some.count(); panel++) {
        panels[part] = some;
        columns[part] = some.firstOutput() + panel * Panels.WIDTH;
        numbers[part++] = panel;
      }
    }
    expands = all.stream().anyMatch(some -> some.type() != TensorType.F32);
  }

  @Override
  public int inputs() {
    return matrix.inputs();
  }

  @Override
  public int outputs() {
    return matrix.outputs();
  }

  @Override
  public int parts() {
    return panels.length;
  }

  @Override
  public boolean expands() {
    return expands;
  }

  @Override
  public void run(
      float[] x,
      int fromRow,
      int toRow,
      int fromPart,
      int toPart,
      float[] bias,
      boolean add,
      float[] out,
      ProductScratch scratch) {
    if (bias != null) {
      start(bias, add, out, fromRow, toRow, fromPart, toPart);
    }
    boolean adds = add || bias != null;
    for (int part = fromPart; part < toPart; part++) {
      Panels some = panels[part];
      int outAt = fromRow * outputs() + columns[part];
      int xAt = fromRow * inputs();
      if (toRow - fromRow == 1 && some.type() != TensorType.F32) {
        VectorPanelDot.run(some, numbers[part], x, xAt, adds, out, outAt, scratch);
        continue;
      }
      int most = some.type() == TensorType.F32 ? FLOAT_DEPTH : ProductScratch.DEPTH;
      for (int input = 0; input < inputs(); input += most) {
        int depth = Math.min(most, inputs() - input);
        float[] weights = scratch.weights;
        int at = 0;
        if (some.type() == TensorType.F32) {
          weights = some.floats();
          at = some.begin(numbers[part]) + input * Panels.WIDTH;
        } else {
          VectorPanelExpander.expand(some, numbers[part], input, depth, scratch);
        }
        int count = some.outputsOf(numbers[part]);
        rows(
            x,
            xAt + input,
            toRow - fromRow,
            depth,
            weights,
            at,
            adds || input > 0,
            out,
            outAt,
            count,
            scratch);
      }
    }
  }

  /** Lets sums begin with the bias. */
  private void start(
      float[] bias, boolean add, float[] out, int fromRow, int toRow, int fromPart, int toPart) {
    if (fromPart == toPart) {
      return;
    }
    int begin = columns[fromPart];
    int end = toPart == columns.length ? outputs() : columns[toPart];
    for (int row = fromRow; row < toRow; row++) {
      int at = row * outputs();
      for (int column = begin; column < end; column++) {
        out[at + column] = add ? out[at + column] + bias[column] : bias[column];
      }
    }
  }

  /** All rows times a stretch of a panel. */
  private void rows(
      float[] x,
      int xAt,
      int rows,
      int depth,
      float[] w,
      int wAt,
      boolean add,
      float[] out,
      int outAt,
      int count,
      ProductScratch scratch) {
    int width = tiles.columns();
    for (int column = 0; column < count; column += width) {
      boolean full = column + width <= count;
      int step;
      for (int row = 0; row < rows; row += step) {
        step = rows - row >= 6 ? 6 : rows - row >= 3 ? 3 : 1;
        int from = xAt + row * inputs();
        int to = outAt + row * outputs() + column;
        if (full && add) {
          tile(step, x, from, depth, w, wAt + column, out, to, outputs(), out, to, outputs());
        } else if (full) {
          tile(step, x, from, depth, w, wAt + column, ZEROS, 0, 0, out, to, outputs());
        } else {
          float[] sums = scratch.sums;
          copy(step, out, to, outputs(), sums, 0, Panels.WIDTH, add ? count - column : 0);
          tile(
              step,
              x,
              from,
              depth,
              w,
              wAt + column,
              add ? sums : ZEROS,
              0,
              add ? Panels.WIDTH : 0,
              sums,
              0,
              Panels.WIDTH);
          copy(step, sums, 0, Panels.WIDTH, out, to, outputs(), count - column);
        }
      }
    }
  }

  private static void copy(
      int rows,
      float[] from,
      int fromAt,
      int fromStride,
      float[] to,
      int toAt,
      int toStride,
      int count) {
    for (int row = 0; row < rows; row++) {
      System.arraycopy(from, fromAt + row * fromStride, to, toAt + row * toStride, count);
    }
  }

  private void tile(
      int rows,
      float[] x,
      int at,
      int depth,
      float[] w,
      int wAt,
      float[] from,
      int fromAt,
      int fromStride,
      float[] out,
      int outAt,
      int outStride) {
    int stride = inputs();
    switch (rows) {
      case 6 ->
          tiles.six(x, at, stride, depth, w, wAt, from, fromAt, fromStride, out, outAt, outStride);
      case 3 ->
          tiles.three(
              x, at, stride, depth, w, wAt, from, fromAt, fromStride, out, outAt, outStride);
      default ->
          tiles.one(x, at, stride, depth, w, wAt, from, fromAt, fromStride, out, outAt, outStride);
    }
  }
}
