package kv4j.model.family;

import java.nio.FloatBuffer;
import java.util.Arrays;
import kv4j.model.format.TensorSource;

/** Whether a model's output head is its token embedding. */
final class OutputHead {
  private static final int BUFFER = 1 << 18;

  private OutputHead() {}

  /**
   * Whether there is no output head, or one that is only the embedding once more. A head of its own
   * counts whatever else the file says, as in llama.cpp and Transformers 5.
   *
   * @param embedding name of the tensor
   * @param output name of the tensor
   */
  static boolean isTied(TensorSource source, String embedding, String output) {
    if (!source.tensorNames().contains(output)) {
      return true;
    }
    long[] shape = source.shape(output);
    if (shape.length != 2
        || !source.tensorNames().contains(embedding)
        || !Arrays.equals(shape, source.shape(embedding))) {
      return false;
    }
    int rowLength = Math.toIntExact(shape[1]);
    int atOnce = Math.max(1, BUFFER / rowLength);
    FloatBuffer head = FloatBuffer.allocate(atOnce * rowLength);
    FloatBuffer table = FloatBuffer.allocate(atOnce * rowLength);
    for (long row = 0; row < shape[0]; row += atOnce) {
      int length = (int) Math.min(atOnce, shape[0] - row) * rowLength;
      source.readRows(output, row, head.clear().limit(length));
      source.readRows(embedding, row, table.clear().limit(length));
      if (!head.flip().equals(table.flip())) {
        return false;
      }
    }
    return true;
  }
}
