package kv4j.model;

import static kv4j.model.GraphNames.inLayer;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * All weights of a transformer by name, in the order of {@link #shapes}; FLOAT arrays in c order.
 */
public final class TransformerWeights {
  private final TransformerConfig config;
  private final Map<String, INDArray> arrays;

  /**
   * Takes arrays, without copying those that are FLOAT and in c order already.
   *
   * @throws IllegalArgumentException if a weight is missing, has the wrong shape, or is not one of
   *     the model's
   */
  public TransformerWeights(TransformerConfig config, Map<String, INDArray> named) {
    this.config = config;
    Map<String, INDArray> ordered = new LinkedHashMap<>();
    shapes(config).forEach((name, shape) -> ordered.put(name, checked(name, shape, named)));
    for (String name : named.keySet()) {
      if (!ordered.containsKey(name)) {
        throw new IllegalArgumentException("the model has no weight named " + name);
      }
    }
    arrays = Collections.unmodifiableMap(ordered);
  }

  private static INDArray checked(String name, long[] shape, Map<String, INDArray> named) {
    INDArray array = named.get(name);
    if (array == null) {
      throw new IllegalArgumentException(
          "weight " + name + " of shape " + Arrays.toString(shape) + " is missing");
    }
    if (!Arrays.equals(shape, array.shape())) {
      throw new IllegalArgumentException(
          "weight "
              + name
              + " must have shape "
              + Arrays.toString(shape)
              + ", not "
              + Arrays.toString(array.shape()));
    }
    boolean plain = array.ordering() == 'c' && !array.isView();
    INDArray copied = plain ? array : array.dup('c');
    return copied.castTo(DataType.FLOAT);
  }

  public TransformerConfig config() {
    return config;
  }

  /** The arrays by name, in order; not copies. */
  public Map<String, INDArray> arrays() {
    return arrays;
  }

  /**
   * One weight.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public INDArray get(String name) {
    INDArray array = arrays.get(name);
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
    for (int i = 0; i < config.layers(); i++) {
      shapes.put(inLayer(i, GraphNames.ATTENTION_NORM_GAIN), shape(dim));
      shapes.put(inLayer(i, GraphNames.QKV_WEIGHT), shape(dim, config.qkvDim()));
      shapes.put(
          inLayer(i, GraphNames.ATTENTION_OUTPUT_WEIGHT),
          shape(config.heads() * config.headDim(), dim));
      shapes.put(inLayer(i, GraphNames.FFN_NORM_GAIN), shape(dim));
      shapes.put(inLayer(i, GraphNames.GATE_UP_WEIGHT), shape(dim, 2 * config.ffnDim()));
      shapes.put(inLayer(i, GraphNames.DOWN_WEIGHT), shape(config.ffnDim(), dim));
    }
    shapes.put(GraphNames.FINAL_NORM_GAIN, shape(dim));
    if (!config.tiedOutput()) {
      shapes.put(GraphNames.OUTPUT_WEIGHT, shape(dim, config.vocabulary()));
    }
    return shapes;
  }

  private static long[] shape(long... sizes) {
    return sizes;
  }
}
