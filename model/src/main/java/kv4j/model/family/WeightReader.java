package kv4j.model.family;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
    Map<String, List<Piece>> pieces = new HashMap<>();
    TransformerWeights.shapes(config)
        .forEach(
            (weight, shape) -> {
              INDArray array = Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
              arrays.put(weight, array);
              for (Part part : Part.of(weight, shape, config, names)) {
                pieces.put(part.tensor(), Piece.of(part, config.headDim(), array));
              }
            });
    List<Piece> inFileOrder =
        source.tensorNames().stream()
            .flatMap(tensor -> pieces.getOrDefault(tensor, List.of()).stream())
            .toList();
    new PieceLoader(source, inFileOrder, listener).run();
    return new TransformerWeights(config, arrays);
  }
}
