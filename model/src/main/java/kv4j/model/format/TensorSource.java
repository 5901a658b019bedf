package kv4j.model.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kv4j.model.format.block.TensorType;

/**
 * The common view of any model file: metadata and named tensors of floats.
 *
 * <p>Tensors may be read by several threads at once.
 */
public interface TensorSource extends AutoCloseable {
  /** Name of the format, such as {@code GGUF}. */
  String format();

  /** The file or folder, as messages name it. */
  String origin();

  /**
   * What the file says of the model, in its order; not modifiable. A value is a {@link String}, a
   * {@link Boolean}, a {@link Number}, a {@link List} or a {@link Map} of such values. GGUF and
   * llama2.c have GGUF's keys, with whole numbers as {@link Long}; a safetensors model has the
   * fields of its {@code config.json}, where {@code null} is a value too.
   */
  Map<String, Object> metadata();

  /** Names of all tensors, in the file's order; not modifiable. */
  Set<String> tensorNames();

  /**
   * Sizes of a tensor, the outermost first: {@code [out, in]} for a projection, in every format.
   *
   * @throws ModelFileException if there is no such tensor
   */
  long[] shape(String name);

  /**
   * How the file stores a tensor, by the format's own name, such as {@code Q4_K}.
   *
   * @throws ModelFileException if there is no such tensor
   */
  String dtype(String name);

  /**
   * The type in which {@link #readStored} gives a tensor.
   *
   * @throws ModelFileException if there is no such tensor, or its stored type is not supported
   */
  default TensorType type(String name) {
    return TensorType.F32;
  }

  /**
   * Reads rows of a tensor in the bits of its {@link #type}, little-endian, as many as {@code out}
   * has room for, and advances {@code out}.
   *
   * @throws ModelFileException as {@link #readRows}
   * @throws IllegalArgumentException as {@link #readRows}
   */
  default void readStored(String name, long firstRow, ByteBuffer out) {
    readRows(name, firstRow, out.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer());
    out.position(out.limit());
  }

  /**
   * Reads rows of a tensor as floats, as many as {@code out} has room for, and advances {@code
   * out}. A row is a run of the innermost size; a tensor of one dimension is one row.
   *
   * @throws ModelFileException if there is no such tensor, if its stored type is not supported, or
   *     if the file cannot be read
   * @throws IllegalArgumentException if {@code out} has no room for a whole number of rows, or the
   *     tensor has too few
   */
  void readRows(String name, long firstRow, FloatBuffer out);

  /**
   * Reads a whole tensor as floats, row-major, and advances {@code out}.
   *
   * @throws ModelFileException if there is no such tensor, if its stored type is not supported, or
   *     if the file cannot be read
   * @throws IllegalArgumentException if {@code out} has not the tensor's number of elements left
   */
  default void read(String name, FloatBuffer out) {
    long elements = elements(name);
    if (out.remaining() != elements) {
      throw new IllegalArgumentException(
          "tensor " + name + " has " + elements + " elements, not " + out.remaining());
    }
    readRows(name, 0, out);
  }

  /**
   * Number of elements of a tensor.
   *
   * @throws ModelFileException if there is no such tensor
   */
  default long elements(String name) {
    long elements = 1;
    for (long size : shape(name)) {
      elements *= size;
    }
    return elements;
  }

  /**
   * Checks that there is a tensor of a shape.
   *
   * @throws ModelFileException if not, with the tensor's name, expected and actual shape
   */
  default void require(String name, long... expected) {
    String wanted = Arrays.toString(expected);
    if (!tensorNames().contains(name)) {
      throw new ModelFileException(
          origin(), "tensor " + name + " of shape " + wanted + " is missing");
    }
    long[] actual = shape(name);
    if (!Arrays.equals(expected, actual)) {
      throw new ModelFileException(
          origin(),
          "tensor " + name + " must have shape " + wanted + ", not " + Arrays.toString(actual));
    }
  }

  @Override
  void close();
}
