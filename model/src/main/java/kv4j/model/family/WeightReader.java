package kv4j.model.family;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import kv4j.model.GraphNames;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerWeights;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.TensorSource;
import kv4j.model.format.block.TensorType;
import kv4j.model.weight.PanelMatrix;
import kv4j.model.weight.PanelPacker;
import kv4j.model.weight.Panels;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Reads a file's tensors into the weights that they are parts of. */
final class WeightReader {
  private static final long MOST_ELEMENTS = Integer.MAX_VALUE - 16;

  private final TensorSource source;
  private final TransformerConfig config;
  private final TensorNames names;
  private final LoadOptions.Weights storage;

  WeightReader(
      TensorSource source,
      TransformerConfig config,
      TensorNames names,
      LoadOptions.Weights storage) {
    this.source = source;
    this.config = config;
    this.names = names;
    this.storage = storage;
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
              requireRoom(weight, shape);
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

  /** Checks that an array can have a weight's elements. */
  private void requireRoom(String weight, long[] shape) {
    long padded = TransformerWeights.isMultipliedWith(weight) ? Panels.WIDTH : 1;
    long elements = padded;
    for (long size : shape) {
      elements = Math.multiplyExact(elements, size);
    }
    if (elements / padded > MOST_ELEMENTS) {
      throw new ModelFileException(
          source.origin(), "weight " + weight + " has more than 2^31 elements");
    }
  }

  /** Bytes of all weights in memory, once they are checked. */
  long bytes() {
    return TransformerWeights.shapes(config).entrySet().stream()
        .mapToLong(entry -> bytes(entry.getKey(), entry.getValue()))
        .sum();
  }

  private long bytes(String weight, long[] shape) {
    if (!TransformerWeights.isMultipliedWith(weight)) {
      return Float.BYTES * LongStream.of(shape).reduce(1, Math::multiplyExact);
    }
    int inputs = inputs(weight, shape);
    return Part.of(weight, shape, config, names).stream()
        .mapToLong(part -> Panels.size(type(part), inputs, part.outputs()))
        .sum();
  }

  /** How matrices are kept in memory. */
  Set<TensorType> types() {
    return TransformerWeights.shapes(config).entrySet().stream()
        .filter(entry -> TransformerWeights.isMultipliedWith(entry.getKey()))
        .flatMap(entry -> Part.of(entry.getKey(), entry.getValue(), config, names).stream())
        .map(this::type)
        .collect(Collectors.toSet());
  }

  private static int inputs(String weight, long[] shape) {
    return (int) shape[TransformerWeights.outputsFirst(weight) ? 1 : 0];
  }

  private TensorType type(Part part) {
    return storage == LoadOptions.Weights.F32 ? TensorType.F32 : source.type(part.tensor());
  }

  /**
   * All weights.
   *
   * @throws ModelFileException if a tensor cannot be read, or holds a number that is not finite:
   *     the first such tensor of the file
   */
  TransformerWeights read(LoadListener listener) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    Map<String, PanelPacker> packers = new LinkedHashMap<>();
    Map<String, List<Piece>> pieces = new HashMap<>();
    TransformerWeights.shapes(config)
        .forEach(
            (weight, shape) -> {
              List<Part> parts = Part.of(weight, shape, config, names);
              if (!TransformerWeights.isMultipliedWith(weight)) {
                INDArray array = Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
                arrays.put(weight, array);
                parts.forEach(part -> add(pieces, part, List.of(new ArrayPiece(part, array))));
                return;
              }
              boolean outputsFirst = TransformerWeights.outputsFirst(weight);
              PanelPacker packer = new PanelPacker(inputs(weight, shape), outputsFirst);
              packers.put(weight, packer);
              for (Part part : parts) {
                Panels panels = packer.add(type(part), part.outputs());
                add(pieces, part, PanelPiece.of(part, panels));
              }
            });
    List<Piece> inFileOrder =
        source.tensorNames().stream()
            .flatMap(tensor -> pieces.getOrDefault(tensor, List.of()).stream())
            .toList();
    new PieceLoader(source, inFileOrder, listener).run();
    Map<String, PanelMatrix> panels = new LinkedHashMap<>();
    packers.forEach((weight, packer) -> panels.put(weight, packer.matrix()));
    return new TransformerWeights(config, arrays, panels);
  }

  private static void add(Map<String, List<Piece>> pieces, Part part, List<? extends Piece> some) {
    pieces.computeIfAbsent(part.tensor(), tensor -> new ArrayList<>()).addAll(some);
  }
}
