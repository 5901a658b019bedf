package kv4j.model.family;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import kv4j.model.GraphNames;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;

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
 * @param outputsFirst whether each of the tensor's rows is what one output multiplies its inputs
 *     with; of matrices only
 */
record Part(
    String tensor,
    long[] shape,
    boolean transposed,
    int row,
    int column,
    int copies,
    int[] headOrder,
    boolean outputsFirst) {

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
          new Part(tensors.get(0), gain, false, 0, 0, heads, order, false),
          new Part(tensors.get(1), gain, false, heads, 0, kvHeads, order, false));
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
      parts.add(
          new Part(tensors.get(i), stored, transposed, 0, column, 1, order, transposed || table));
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

  /** Outputs that the tensor has weights of; of matrices only. */
  int outputs() {
    return (int) shape[outputsFirst ? 0 : 1];
  }

  /** Rows of the tensor, a vector being one. */
  int rows() {
    return shape.length == 1 ? 1 : (int) shape[0];
  }

  /** Elements of a row of the tensor. */
  int rowLength() {
    return (int) shape[shape.length - 1];
  }
}
