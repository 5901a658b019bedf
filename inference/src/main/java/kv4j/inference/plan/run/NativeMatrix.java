package kv4j.inference.plan.run;

import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A row-major matrix of floats outside the Java heap, as BLAS wants it: {@code [rows, columns]}.
 */
public final class NativeMatrix implements AutoCloseable {
  private final INDArray array;
  private final boolean owned;
  private final FloatPointer pointer;
  private final FloatBuffer buffer;
  private final int rows;
  private final int columns;

  private NativeMatrix(INDArray array, boolean owned) {
    this.array = array;
    this.owned = owned;
    rows = (int) array.size(0);
    columns = array.rank() == 1 ? 1 : (int) array.size(1);
    FloatPointer base = new FloatPointer(array.data().addressPointer());
    pointer = base;
    buffer = base.capacity(array.length()).asBuffer();
  }

  /** A new matrix with undefined content. */
  public static NativeMatrix allocate(int rows, int columns) {
    return new NativeMatrix(Nd4j.createUninitialized(DataType.FLOAT, rows, columns), true);
  }

  /**
   * A view of an existing array of rank 1 or 2.
   *
   * @throws IllegalArgumentException if it is not made of contiguous floats in c-order
   */
  public static NativeMatrix over(String name, INDArray array) {
    if (array.dataType() != DataType.FLOAT || array.rank() > 2 || !isContiguous(array)) {
      throw new IllegalArgumentException(
          name + " must be contiguous floats in c-order, not " + array.shapeInfoToString());
    }
    return new NativeMatrix(array, false);
  }

  public static boolean isContiguous(INDArray array) {
    return array.elementWiseStride() == 1 && (array.ordering() == 'c' || array.isVector());
  }

  public int rows() {
    return rows;
  }

  public int columns() {
    return columns;
  }

  public INDArray array() {
    return array;
  }

  /** The address of an element; a new object each time, so not for hot paths. */
  public FloatPointer pointerTo(long row, long column) {
    return new FloatPointer(pointer).position(row * columns + column);
  }

  /** Copies part of a row to the heap. */
  public void get(int row, int column, float[] target, int at, int count) {
    buffer.get(row * columns + column, target, at, count);
  }

  /** Copies part of a row from the heap. */
  public void put(int row, int column, float[] source, int at, int count) {
    buffer.put(row * columns + column, source, at, count);
  }

  /** Copies whole rows from another matrix with as many columns, or from within this one. */
  public void putRow(int row, NativeMatrix source, int sourceRow) {
    buffer.put(row * columns, source.buffer, sourceRow * columns, columns);
  }

  /** All elements in order, as a new array. */
  public float[] toHeap() {
    float[] copy = new float[(int) array.length()];
    buffer.get(0, copy, 0, copy.length);
    return copy;
  }

  @Override
  public void close() {
    if (owned && !array.wasClosed()) {
      array.close();
    }
  }
}
