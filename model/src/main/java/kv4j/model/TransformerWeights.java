package kv4j.model;

import static kv4j.model.GraphNames.inLayer;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import kv4j.model.TransformerConfig.Activation;
import kv4j.model.TransformerConfig.Biases;
import kv4j.model.TransformerConfig.Norm;
import kv4j.model.weight.PanelMatrix;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * All weights of a transformer by name, in the order of {@link #shapes}: FLOAT arrays in c order,
 * and matrices in panels.
 */
public final class TransformerWeights {
  private final TransformerConfig config;
  private final Map<String, INDArray> arrays;
  private final Map<String, PanelMatrix> panels;

  /**
   * Takes arrays, without copying those that are FLOAT and in c order already.
   *
   * @throws IllegalArgumentException if a weight is missing, has the wrong shape, or is not one of
   *     the model's
   */
  public TransformerWeights(TransformerConfig config, Map<String, INDArray> named) {
    this(config, named, Map.of());
  }

  /**
   * Takes arrays as above, and the other weights in panels.
   *
   * @throws IllegalArgumentException as above
   */
  public TransformerWeights(
      TransformerConfig config, Map<String, INDArray> named, Map<String, PanelMatrix> panels) {
    this.config = config;
    this.panels = Map.copyOf(panels);
    Map<String, INDArray> ordered = new LinkedHashMap<>();
    Map<String, long[]> shapes = shapes(config);
    shapes.forEach(
        (name, shape) -> {
          PanelMatrix matrix = panels.get(name);
          if (matrix == null) {
            ordered.put(name, checked(name, shape, named));
          } else if (!Arrays.equals(shape, matrix.shape())) {
            throw wrongShape(name, shape, matrix.shape());
          }
        });
    Set<String> unknown = new LinkedHashSet<>(named.keySet());
    unknown.addAll(panels.keySet());
    unknown.removeAll(shapes.keySet());
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException(
          "the model has no weight named " + unknown.iterator().next());
    }
    arrays = Collections.unmodifiableMap(ordered);
  }

  /** The same weights with all matrices but tables of positions in panels, copied. */
  public TransformerWeights packed() {
    Map<String, INDArray> rest = new LinkedHashMap<>(arrays);
    Map<String, PanelMatrix> packed = new LinkedHashMap<>(panels);
    arrays.forEach(
        (name, array) -> {
          if (isMultipliedWith(name)) {
            packed.put(name, PanelMatrix.of(array, outputsFirst(name)));
            rest.remove(name);
          }
        });
    return new TransformerWeights(config, rest, packed);
  }

  /** Whether a weight is a matrix that rows are multiplied with. */
  public static boolean isMultipliedWith(String name) {
    return name.equals(GraphNames.TOKEN_EMBEDDING) || name.endsWith("/weight");
  }

  /** Whether a matrix is {@code [outputs, inputs]}; else {@code [inputs, outputs]}. */
  public static boolean outputsFirst(String name) {
    return name.equals(GraphNames.TOKEN_EMBEDDING);
  }

  private static INDArray checked(String name, long[] shape, Map<String, INDArray> named) {
    INDArray array = named.get(name);
    if (array == null) {
      throw new IllegalArgumentException(
          "weight " + name + " of shape " + Arrays.toString(shape) + " is missing");
    }
    if (!Arrays.equals(shape, array.shape())) {
      throw wrongShape(name, shape, array.shape());
    }
    boolean plain = array.ordering() == 'c' && !array.isView();
    INDArray copied = plain ? array : array.dup('c');
    return copied.castTo(DataType.FLOAT);
  }

  private static IllegalArgumentException wrongShape(String name, long[] shape, long[] actual) {
    return new IllegalArgumentException(
        "weight "
            + name
            + " must have shape "
            + Arrays.toString(shape)
            + ", not "
            + Arrays.toString(actual));
  }

  public TransformerConfig config() {
    return config;
  }

  /** The weights in panels, by name. */
  public Map<String, PanelMatrix> panels() {
    return panels;
  }

  /** The arrays by name, in order, without what is in panels; not copies. */
  public Map<String, INDArray> arrays() {
    return arrays;
  }

  /**
   * One weight as an array: a new one if it is in panels, else no copy.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public INDArray get(String name) {
    INDArray array = panels.containsKey(name) ? panels.get(name).expand() : arrays.get(name);
    if (array == null) {
      throw new IllegalArgumentException("the model has no weight named " + name);
    }
    return array;
  }

  /** Shape of every weight a model has, by name, in the order the forward pass uses them. */
  public static Map<String, long[]> shapes(TransformerConfig config) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    int dim = config.dim();
    shapes.put(GraphNames.TOKEN_EMBEDDING, shape(config.vocabulary(), dim));
    if (config.positions() instanceof Positions.Learned) {
      shapes.put(GraphNames.POSITION_EMBEDDING, shape(config.context(), dim));
    }
    for (int i = 0; i < config.layers(); i++) {
      int layer = i;
      shapesOfLayer(config).forEach((name, shape) -> shapes.put(inLayer(layer, name), shape));
    }
    shapes.put(GraphNames.FINAL_NORM_GAIN, shape(dim));
    if (config.block().norm() == Norm.LAYER) {
      shapes.put(GraphNames.FINAL_NORM_BIAS, shape(dim));
    }
    if (!config.tiedOutput()) {
      shapes.put(GraphNames.OUTPUT_WEIGHT, shape(dim, config.vocabulary()));
    }
    return shapes;
  }

  private static Map<String, long[]> shapesOfLayer(TransformerConfig config) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    int dim = config.dim();
    int attentionDim = config.heads() * config.headDim();
    boolean layerNorm = config.block().norm() == Norm.LAYER;
    boolean allBiases = config.block().biases() == Biases.ALL;
    boolean gated = config.block().activation() == Activation.SWIGLU;
    shapes.put(GraphNames.ATTENTION_NORM_GAIN, shape(dim));
    if (layerNorm) {
      shapes.put(GraphNames.ATTENTION_NORM_BIAS, shape(dim));
    }
    shapes.put(GraphNames.QKV_WEIGHT, shape(dim, config.qkvDim()));
    if (config.block().biases() != Biases.NONE) {
      shapes.put(GraphNames.QKV_BIAS, shape(config.qkvDim()));
    }
    if (config.block().headNorms()) {
      shapes.put(
          GraphNames.HEAD_NORM_GAIN, shape(config.heads() + config.kvHeads(), config.headDim()));
    }
    shapes.put(GraphNames.ATTENTION_OUTPUT_WEIGHT, shape(attentionDim, dim));
    if (allBiases) {
      shapes.put(GraphNames.ATTENTION_OUTPUT_BIAS, shape(dim));
    }
    shapes.put(GraphNames.FFN_NORM_GAIN, shape(dim));
    if (layerNorm) {
      shapes.put(GraphNames.FFN_NORM_BIAS, shape(dim));
    }
    shapes.put(
        gated ? GraphNames.GATE_UP_WEIGHT : GraphNames.UP_WEIGHT, shape(dim, config.upDim()));
    if (allBiases) {
      shapes.put(gated ? GraphNames.GATE_UP_BIAS : GraphNames.UP_BIAS, shape(config.upDim()));
    }
    shapes.put(GraphNames.DOWN_WEIGHT, shape(config.ffnDim(), dim));
    if (allBiases) {
      shapes.put(GraphNames.DOWN_BIAS, shape(dim));
    }
    return shapes;
  }

  private static long[] shape(long... sizes) {
    return sizes;
  }
}
