package kv4j.inference.kernel;

import java.util.Arrays;
import java.util.List;
import kv4j.model.format.block.TensorType;
import kv4j.model.weight.PanelMatrix;
import kv4j.model.weight.Panels;

/**
 * Products on the Java Vector API. Each panel is gone through in stretches of inputs that stay in a
 * core's cache, with all rows: six at a time, then three, then one by one. A panel of a type that
 * is no float is expanded stretch by stretch; with a single row the sums are formed on the packed
 * numbers themselves, where that is faster.
 *
 * <p>The order of a sum depends on nothing but the inputs, so that a row's result is the same in
 * whatever company it is computed; only single rows of packed weights differ in the last bits.
 */
final class VectorPanelProduct implements Product {
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
    int rows = toRow - fromRow;
    int xAt = fromRow * inputs();
    for (int part = fromPart; part < toPart; part++) {
      Panels some = panels[part];
      int outAt = fromRow * outputs() + columns[part];
      start(part, rows, bias, add, out, outAt);
      if (rows == 1 && VectorPanelDot.takes(some.type())) {
        VectorPanelDot.run(some, numbers[part], x, xAt, out, outAt, scratch);
        continue;
      }
      for (int input = 0; input < inputs(); input += ProductScratch.DEPTH) {
        int depth = Math.min(ProductScratch.DEPTH, inputs() - input);
        float[] weights = scratch.weights;
        int at = 0;
        if (some.type() == TensorType.F32) {
          weights = some.floats();
          at = some.begin(numbers[part]) + input * Panels.WIDTH;
        } else {
          VectorPanelExpander.expand(some, numbers[part], input, depth, scratch);
        }
        int count = some.outputsOf(numbers[part]);
        rows(x, xAt + input, rows, depth, weights, at, out, outAt, count, scratch);
      }
    }
  }

  /** Puts what the sums of a part begin with in their place. */
  private void start(int part, int rows, float[] bias, boolean add, float[] out, int outAt) {
    int column = columns[part];
    int count = panels[part].outputsOf(numbers[part]);
    for (int at = outAt; at < outAt + rows * outputs(); at += outputs()) {
      if (!add) {
        Arrays.fill(out, at, at + count, 0);
      }
      for (int i = 0; bias != null && i < count; i++) {
        out[at + i] += bias[column + i];
      }
    }
  }

  /** Adds all rows times a stretch of a panel. */
  private void rows(
      float[] x,
      int xAt,
      int rows,
      int depth,
      float[] w,
      int wAt,
      float[] out,
      int outAt,
      int count,
      ProductScratch scratch) {
    int width = tiles.columns();
    for (int column = 0; column < count; column += width) {
      int step;
      for (int row = 0; row < rows; row += step) {
        step = step(rows - row);
        int from = xAt + row * inputs();
        int to = outAt + row * outputs() + column;
        if (column + width <= count) {
          tile(step, x, from, depth, w, wAt + column, out, to, outputs());
        } else {
          float[] sums = scratch.sums;
          copy(step, out, to, outputs(), sums, 0, Panels.WIDTH, count - column);
          tile(step, x, from, depth, w, wAt + column, sums, 0, Panels.WIDTH);
          copy(step, sums, 0, Panels.WIDTH, out, to, outputs(), count - column);
        }
      }
    }
  }

  /**
   * Rows of the next tile. The small tiles come first: they have weights come from memory faster
   * than tiles of six do, which then find them in the cache.
   */
  private static int step(int left) {
    return switch (left % 6) {
      case 0 -> 6;
      case 1 -> 1;
      case 2, 4 -> 2;
      default -> 3;
    };
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
      float[] out,
      int outAt,
      int outStride) {
    int stride = inputs();
    switch (rows) {
      case 6 -> tiles.six(x, at, stride, depth, w, wAt, out, outAt, outStride);
      case 3 -> tiles.three(x, at, stride, depth, w, wAt, out, outAt, outStride);
      case 2 -> tiles.two(x, at, stride, depth, w, wAt, out, outAt, outStride);
      default -> tiles.one(x, at, stride, depth, w, wAt, out, outAt, outStride);
    }
  }
}
