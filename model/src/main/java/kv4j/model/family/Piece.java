package kv4j.model.family;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Some rows of a tensor on their way into a weight.
 *
 * @param part where the tensor goes
 * @param first the first of the rows
 * @param count how many there are
 * @param weight all of the weight
 * @param columns of the weight
 */
record Piece(Part part, int first, int count, FloatBuffer weight, int columns) {
  /** Floats that stay in a core's own cache: a megabyte. */
  private static final int ELEMENTS = 1 << 18;

  /** Fewer rows than this make columns too short to be written at speed. */
  private static final int LEAST_TRANSPOSED = 32;

  /** Floats that one line of a processor's cache holds. */
  private static final int LINE = 16;

  /** Rows that are transposed together. */
  private static final int TILE_ROWS = 256;

  /**
   * Columns of a tile lie so far apart that they do not compete for the same lines of the cache.
   */
  private static final int TILE_STRIDE = TILE_ROWS + LINE;

  /** Room for a tile, in floats. */
  static final int TILE = LINE * TILE_STRIDE;

  /** All of a tensor in pieces, none of which parts a head whose order changes. */
  static List<Piece> of(Part part, int headDim, INDArray weight) {
    boolean heads = part.transposed() && part.headOrder() != null;
    int unit = heads ? headDim : part.transposed() ? LINE : 1;
    int least = part.transposed() ? LEAST_TRANSPOSED : 1;
    int rows = Math.max(least, ELEMENTS / part.rowLength());
    int atOnce = Math.max(1, rows / unit) * unit;
    FloatBuffer target = weight.data().asNioFloat();
    int columns = (int) weight.size(weight.rank() - 1);
    List<Piece> pieces = new ArrayList<>();
    for (int first = 0; first < part.rows(); first += atOnce) {
      int count = Math.min(atOnce, part.rows() - first);
      pieces.add(new Piece(part, first, count, target, columns));
    }
    return pieces;
  }

  /** Elements of the tensor in these rows. */
  int elements() {
    return count * part.rowLength();
  }

  /** Elements of the weight that these rows become. */
  long weightElements() {
    return (long) elements() * part.copies();
  }

  /**
   * Puts the rows in their place in the weight.
   *
   * @param rows as the tensor has them; spoilt
   * @param tile scratch of {@link #TILE}
   */
  void put(float[] rows, float[] tile) {
    if (part.transposed()) {
      for (int row = 0; row < count; row += TILE_ROWS) {
        putTransposed(row, Math.min(TILE_ROWS, count - row), rows, tile);
      }
      return;
    }
    int length = part.rowLength();
    if (part.headOrder() != null) { // one row
      float[] stored = Arrays.copyOf(rows, length);
      for (int i = 0; i < length; i++) {
        rows[i] = stored[part.source(i)];
      }
    }
    if (length == columns && part.copies() == 1) {
      weight.put((part.row() + first) * columns, rows, 0, elements());
      return;
    }
    for (int r = 0; r < count * part.copies(); r++) {
      int row = part.row() + first + r;
      weight.put(row * columns + part.column(), rows, r / part.copies() * length, length);
    }
  }

  /** In tiles as wide as a cache line, so that no line is fetched more than once. */
  private void putTransposed(int row, int height, float[] rows, float[] tile) {
    int length = part.rowLength();
    int[] starts = new int[height];
    for (int r = 0; r < height; r++) {
      starts[r] = part.source(row + r) * length;
    }
    int column = part.column() + first + row;
    for (int begin = 0; begin < length; begin += LINE) {
      int width = Math.min(LINE, length - begin);
      if (width == LINE) {
        transposeLines(rows, starts, begin, tile);
      } else {
        for (int r = 0; r < height; r++) {
          for (int i = 0; i < width; i++) {
            tile[i * TILE_STRIDE + r] = rows[starts[r] + begin + i];
          }
        }
      }
      for (int i = 0; i < width; i++) {
        weight.put((begin + i) * columns + column, tile, i * TILE_STRIDE, height);
      }
    }
  }

  private static void transposeLines(float[] rows, int[] starts, int begin, float[] tile) {
    for (int r = 0; r < starts.length; r++) {
      int from = starts[r] + begin;
      for (int i = 0; i < LINE; i++) {
        tile[i * TILE_STRIDE + r] = rows[from + i];
      }
    }
  }
}
