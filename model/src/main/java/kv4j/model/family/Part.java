package kv4j.model.family;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import kv4j.model.GraphNames;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Where a tensor of a file goes in a weight, seen as a matrix (a vector being one row).
 *
 * @param tensor its name
 * @param shape its sizes, the outermost first
 * @param transposed whether the tensor's rows become columns
 * @param row first row of the weight
 * @param column first column of the weight
 * @param copies rows that are the same, where one row of the tensor becomes several
 * @param headOrder for each element of a query or key head in the weight, which one of the tensor's
 *     head it is; null if the order is the same
 */
record Part(
    String tensor,
    long[] shape,
    boolean transposed,
    int row,
    int column,
    int copies,
    int[] headOrder) {

  /**
   * The tensors that make a weight.
   *
   * @param shape of the weight
   */
  static List<Part> of(String weight, long[] shape, TransformerConfig config, TensorNames names) {
    List<String> tensors = names.of(weight);
    String name = weight.startsWith("layer_") ? weight.substring(weight.indexOf('/') + 1) : weight;
    int heads = config.heads();
    int kvHeads = config.kvHeads();
    if (name.equals(GraphNames.HEAD_NORM_GAIN)) {
      int[] order = headOrder(config, names);
      long[] gain = {config.headDim()};
      return List.of(
          new Part(tensors.get(0), gain, false, 0, 0, heads, order),
          new Part(tensors.get(1), gain, false, heads, 0, kvHeads, order));
    }
    boolean table =
        name.equals(GraphNames.TOKEN_EMBEDDING) || name.equals(GraphNames.POSITION_EMBEDDING);
    boolean transposed =
        shape.length == 2 && !table && names.outputsFirst()
            || name.equals(GraphNames.OUTPUT_WEIGHT);
    int columns = (int) shape[shape.length - 1];
    int[] widths =
        tensors.size() == 1
            ? new int[] {columns}
            : tensors.size() == 2
                ? new int[] {config.ffnDim(), config.ffnDim()}
                : IntStream.of(heads, kvHeads, kvHeads).map(n -> n * config.headDim()).toArray();
    List<Part> parts = new ArrayList<>();
    int column = 0;
    for (int i = 0; i < widths.length; i++) {
      int[] order = widths.length == 3 && i < 2 ? headOrder(config, names) : null;
      long[] stored = shape.clone();
      stored[shape.length - 1] = widths[i];
      if (transposed) {
        stored = new long[] {widths[i], shape[0]};
      }
      parts.add(new Part(tensors.get(i), stored, transposed, 0, column, 1, order));
      column += widths[i];
    }
    return parts;
  }

  private static int[] headOrder(TransformerConfig config, TensorNames names) {
    if (!(config.positions() instanceof Positions.Rotary rotary)
        || rotary.pairing() == names.pairing()) {
      return null;
    }
    int pairs = config.headDim() / 2;
    boolean toAdjacent = rotary.pairing() == RopePairing.ADJACENT;
    return IntStream.range(0, config.headDim())
        .map(i -> toAdjacent ? i / 2 + i % 2 * pairs : i % pairs * 2 + i / pairs)
        .toArray();
  }

  /** Number of the tensor's element, along its outputs, that is element {@code i} of the weight. */
  int source(int i) {
    return headOrder == null
        ? i
        : i / headOrder.length * headOrder.length + headOrder[i % headOrder.length];
  }

  /** Rows of the tensor, a vector being one. */
  int rows() {
    return shape.length == 1 ? 1 : (int) shape[0];
  }

  /** Elements of a row of the tensor. */
  int rowLength() {
    return (int) shape[shape.length - 1];
  }

  /** Cuts the tensor into pieces. A head whose elements change their order stays in one piece. */
  List<Piece> pieces(int headDim, INDArray weight) {
    int unit = !transposed ? 1 : headOrder != null ? headDim : Piece.LINE;
    int least = transposed ? Piece.LEAST_TRANSPOSED : 1;
    int rows = Math.max(least, Piece.ELEMENTS / rowLength());
    int atOnce = Math.max(1, rows / unit) * unit;
    FloatBuffer target = weight.data().asNioFloat();
    int columns = (int) weight.size(weight.rank() - 1);
    List<Piece> pieces = new ArrayList<>();
    for (int first = 0; first < rows(); first += atOnce) {
      int count = Math.min(atOnce, rows() - first);
      pieces.add(new Piece(this, first, count, target, columns));
    }
    return pieces;
  }

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
}
