package kv4j.model.family;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import kv4j.model.GraphNames;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerWeights;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.TensorSource;
import kv4j.model.format.TensorStats;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reads tensors straight into the weights that they are parts of: a piece of some rows at a time
 * through a buffer of a megabyte for each processor, so that nothing is in memory twice.
 */
final class WeightReader {
  private static final int BUFFER = 1 << 18;

  /** Floats that one line of a processor's cache holds. */
  private static final int LINE = 16;

  private final TensorSource source;
  private final TransformerConfig config;
  private final TensorNames names;
  private final ThreadLocal<float[]> buffers = ThreadLocal.withInitial(() -> new float[0]);

  WeightReader(TensorSource source, TransformerConfig config, TensorNames names) {
    this.source = source;
    this.config = config;
    this.names = names;
  }

  /**
   * Checks that all tensors are there, and none that would be left out.
   *
   * @throws ModelFileException if not
   */
  void check() {
    Set<String> used = new HashSet<>();
    if (config.layers() > source.tensorNames().size()) { // not worth trying, and perhaps endless
      throw new ModelFileException(
          source.origin(),
          "says that it has "
              + config.layers()
              + " layers, but has only "
              + source.tensorNames().size()
              + " tensors");
    }
    TransformerWeights.shapes(config)
        .forEach(
            (weight, shape) -> {
              for (Part part : Part.of(weight, shape, config, names)) {
                require(weight, part);
                used.add(part.tensor());
              }
              if (elements(shape) > Integer.MAX_VALUE / Float.BYTES) {
                throw new ModelFileException(
                    source.origin(), "weight " + weight + " is larger than two gigabytes");
              }
            });
    for (String tensor : source.tensorNames()) {
      if (!used.contains(tensor) && !names.canIgnore(tensor)) {
        throw new ModelFileException(
            source.origin(),
            "tensor "
                + ModelFileException.printable(tensor)
                + " is none that models of this architecture have");
      }
    }
  }

  private void require(String weight, Part part) {
    String tensor = part.tensor();
    if (weight.equals(GraphNames.POSITION_EMBEDDING) && source.tensorNames().contains(tensor)) {
      long[] actual = source.shape(tensor);
      if (actual.length == 2 && actual[0] >= part.rows()) { // more than the context asked for
        source.require(tensor, actual[0], part.rowLength());
        return;
      }
    }
    source.require(tensor, part.shape());
  }

  private static long elements(long[] shape) {
    long elements = 1;
    for (long size : shape) {
      elements = Math.multiplyExact(elements, size);
    }
    return elements;
  }

  /**
   * All weights.
   *
   * @throws ModelFileException if a tensor cannot be read, or holds a number that is not finite
   */
  TransformerWeights read(LoadListener listener) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    long bytes = 0;
    for (Map.Entry<String, long[]> entry : TransformerWeights.shapes(config).entrySet()) {
      long[] shape = entry.getValue();
      INDArray array = Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
      for (Part part : Part.of(entry.getKey(), shape, config, names)) {
        read(part, array);
      }
      arrays.put(entry.getKey(), array);
      bytes += array.length() * Float.BYTES;
      listener.progressed(bytes);
    }
    return new TransformerWeights(config, arrays);
  }

  private void read(Part part, INDArray array) {
    FloatBuffer target = array.data().asNioFloat();
    int columns = (int) array.size(array.rank() - 1);
    int unit = part.transposed() && part.headOrder() != null ? config.headDim() : 1;
    int atOnce = Math.max(1, BUFFER / part.rowLength() / unit) * unit;
    int pieces = (part.rows() + atOnce - 1) / atOnce;
    AtomicInteger next = new AtomicInteger();
    IntStream.range(0, Math.min(pieces, Runtime.getRuntime().availableProcessors()))
        .parallel()
        .forEach(
            worker -> {
              float[] rows = buffer(Math.min(atOnce, part.rows()) * part.rowLength());
              for (int p = next.getAndIncrement(); p < pieces; p = next.getAndIncrement()) {
                int first = p * atOnce;
                int count = Math.min(atOnce, part.rows() - first);
                source.readRows(
                    part.tensor(), first, FloatBuffer.wrap(rows, 0, count * part.rowLength()));
                requireFinite(part, rows, count * part.rowLength());
                put(part, first, count, rows, target, columns);
              }
            });
  }

  /** The thread's own buffer of at least some size. */
  private float[] buffer(int size) {
    if (buffers.get().length < size) {
      buffers.set(new float[Math.max(size, BUFFER)]);
    }
    return buffers.get();
  }

  private static void put(
      Part part, int first, int count, float[] rows, FloatBuffer target, int columns) {
    if (part.transposed()) {
      putTransposed(part, first, count, rows, target, columns);
      return;
    }
    int length = part.rowLength();
    if (part.headOrder() != null) {
      float[] stored = Arrays.copyOf(rows, length);
      for (int i = 0; i < length; i++) {
        rows[i] = stored[part.source(i)];
      }
    }
    for (int r = 0; r < count * part.copies(); r++) {
      int row = part.row() + first + r;
      target.put(row * columns + part.column(), rows, r / part.copies() * length, length);
    }
  }

  /** In tiles as wide as a cache line, so that no line is fetched more than once. */
  private static void putTransposed(
      Part part, int first, int count, float[] rows, FloatBuffer target, int columns) {
    int length = part.rowLength();
    float[] tile = new float[LINE * count];
    for (int begin = 0; begin < length; begin += LINE) {
      int width = Math.min(LINE, length - begin);
      for (int r = 0; r < count; r++) {
        int from = part.source(r) * length + begin;
        for (int i = 0; i < width; i++) {
          tile[i * count + r] = rows[from + i];
        }
      }
      for (int i = 0; i < width; i++) {
        target.put((begin + i) * columns + part.column() + first, tile, i * count, count);
      }
    }
  }

  private void requireFinite(Part part, float[] values, int count) {
    if (TensorStats.allFinite(FloatBuffer.wrap(values, 0, count))) {
      return;
    }
    int first = 0;
    while (Float.isFinite(values[first])) {
      first++;
    }
    throw new ModelFileException(
        source.origin(),
        "tensor "
            + part.tensor()
            + " holds "
            + values[first]
            + ", but weights must be finite numbers");
  }
}
