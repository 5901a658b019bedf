package kv4j.model.family;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import kv4j.model.GraphNames;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerWeights;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.TensorSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Reads a file's tensors into the weights that they are parts of. */
final class WeightReader {
  private final TensorSource source;
  private final TransformerConfig config;
  private final TensorNames names;

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
   * @throws ModelFileException if a tensor cannot be read, or holds a number that is not finite:
   *     the first such tensor of the file
   */
  TransformerWeights read(LoadListener listener) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    Map<String, List<Part.Piece>> pieces = new HashMap<>();
    TransformerWeights.shapes(config)
        .forEach(
            (weight, shape) -> {
              INDArray array = Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
              arrays.put(weight, array);
              for (Part part : Part.of(weight, shape, config, names)) {
                pieces.put(part.tensor(), part.pieces(config.headDim(), array));
              }
            });
    List<Part.Piece> inFileOrder =
        source.tensorNames().stream()
            .flatMap(tensor -> pieces.getOrDefault(tensor, List.of()).stream())
            .toList();
    new PieceLoader(source, inFileOrder, listener).run();
    return new TransformerWeights(config, arrays);
  }

  /**
   * Reads pieces of tensors on all processors, each through buffers of its own that stay in the
   * processor's cache, so that nothing is in memory twice.
   */
  private static final class PieceLoader {
    /** Elements looked at while they are in a core's first cache. */
    private static final int LOOKED_AT = 1 << 13;

    private final TensorSource source;
    private final List<Part.Piece> pieces;
    private final LoadListener listener;
    private final Thread loader = Thread.currentThread();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private int failedPiece = Integer.MAX_VALUE;
    private RuntimeException failure;

    PieceLoader(TensorSource source, List<Part.Piece> pieces, LoadListener listener) {
      this.source = source;
      this.pieces = pieces;
      this.listener = listener;
    }

    /**
     * Reads all; the listener is told on this thread.
     *
     * @throws ModelFileException of the first piece that cannot be read, or has a number that is
     *     not finite
     */
    void run() {
      int workers = Math.min(pieces.size(), Runtime.getRuntime().availableProcessors());
      IntStream.range(0, workers).parallel().forEach(worker -> work());
      if (failure != null) {
        throw failure;
      }
      listener.progressed(bytes.get());
    }

    /**
     * Pieces are taken in order, so that every piece before one that fails is tried as well and the
     * failure reported is the first of the file.
     */
    private void work() {
      int most = pieces.stream().mapToInt(Part.Piece::elements).max().orElse(0);
      float[] rows = new float[most];
      float[] tile = new float[Part.Piece.TILE];
      for (int p = next.getAndIncrement(); p < pieces.size(); p = next.getAndIncrement()) {
        Part.Piece piece = pieces.get(p);
        try {
          read(piece, rows, tile);
        } catch (RuntimeException e) {
          failed(p, e);
        }
        long done = bytes.addAndGet(piece.weightElements() * Float.BYTES);
        if (Thread.currentThread() == loader) {
          listener.progressed(done);
        }
      }
    }

    private void read(Part.Piece piece, float[] rows, float[] tile) {
      int length = piece.part().rowLength();
      int atOnce = Math.max(1, LOOKED_AT / length);
      for (int row = 0; row < piece.count(); row += atOnce) {
        int count = Math.min(atOnce, piece.count() - row) * length;
        FloatBuffer out = FloatBuffer.wrap(rows, row * length, count);
        source.readRows(piece.part().tensor(), piece.first() + row, out);
        requireFinite(piece.part().tensor(), rows, row * length, count);
      }
      piece.put(rows, tile);
    }

    private void requireFinite(String tensor, float[] values, int from, int count) {
      if (Finite.all(values, from, count)) {
        return;
      }
      int first = from;
      while (Float.isFinite(values[first])) {
        first++;
      }
      throw new ModelFileException(
          source.origin(),
          "tensor " + tensor + " holds " + values[first] + ", but weights must be finite numbers");
    }

    private synchronized void failed(int piece, RuntimeException e) {
      if (piece < failedPiece) {
        failedPiece = piece;
        failure = e;
      }
      next.set(pieces.size());
    }
  }
}
