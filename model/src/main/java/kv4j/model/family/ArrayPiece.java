package kv4j.model.family;

import java.nio.FloatBuffer;
import kv4j.model.format.TensorSource;
import kv4j.model.weight.Finite;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A tensor that goes into an array: a gain, a bias, or a table of positions. Its rows stay rows;
 * one may become several.
 *
 * @param array the weight
 */
record ArrayPiece(Part part, INDArray array) implements Piece {
  @Override
  public long bytes() {
    return (long) endRow() * part.copies() * part.rowLength() * Float.BYTES;
  }

  @Override
  public int firstRow() {
    return 0;
  }

  @Override
  public int endRow() {
    return part.rows();
  }

  @Override
  public boolean read(TensorSource source, Room room) {
    int length = part.rowLength();
    float[] stored = new float[length];
    float[] row = new float[length];
    FloatBuffer weight = array.data().asNioFloat();
    int columns = (int) array.size(array.rank() - 1);
    boolean finite = true;
    for (int r = 0; r < part.rows() * part.copies(); r++) {
      if (r % part.copies() == 0) {
        source.readRows(part.tensor(), r / part.copies(), FloatBuffer.wrap(stored));
        finite &= Finite.all(stored, 0, length);
        for (int i = 0; i < length; i++) {
          row[i] = stored[part.source(i)];
        }
      }
      weight.put((part.row() + r) * columns + part.column(), row);
    }
    return finite;
  }
}
