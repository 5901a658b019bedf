package kv4j.inference.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Small networks with attention, and inputs for them. */
final class Networks {
  private Networks() {}

  static NeuralNetConfiguration.Builder settings(long seed, DataType type) {
    return new NeuralNetConfiguration.Builder().seed(seed).dataType(type).updater(new Adam(0.01));
  }

  /** Attention layers one after another, each with as many outputs as the network has inputs. */
  static MultiLayerConfiguration stack(
      NeuralNetConfiguration.Builder settings, int layers, int width, int heads, int classes) {
    NeuralNetConfiguration.ListBuilder list = settings.list();
    for (int i = 0; i < layers; i++) {
      list.layer(new KvCachedSelfAttention.Builder().nOut(width).heads(heads).headSize(3).build());
    }
    return list.layer(
            new RnnOutputLayer.Builder(LossFunction.MCXENT)
                .nOut(classes)
                .activation(Activation.SOFTMAX)
                .build())
        .setInputType(InputType.recurrent(width))
        .build();
  }

  /** Two attention layers, each added to what it reads. */
  static ComputationGraphConfiguration residual(
      NeuralNetConfiguration.Builder settings, int width, int heads, int classes) {
    return settings
        .graphBuilder()
        .addInputs("input")
        .setInputTypes(InputType.recurrent(width))
        .addLayer("first", attention(width, heads), "input")
        .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "first", "input")
        .addLayer("second", attention(width, heads), "sum")
        .addVertex("total", new ElementWiseVertex(ElementWiseVertex.Op.Add), "second", "sum")
        .addLayer(
            "output",
            new RnnOutputLayer.Builder(LossFunction.MCXENT)
                .nOut(classes)
                .activation(Activation.SOFTMAX)
                .build(),
            "total")
        .setOutputs("output")
        .build();
  }

  static KvCachedSelfAttention attention(int width, int heads) {
    return new KvCachedSelfAttention.Builder().nOut(width).heads(heads).headSize(4).build();
  }

  /** {@code [batch, features, steps]}, between -2 and 2. */
  static INDArray input(SplittableRandom random, int batch, int features, int steps) {
    double[] values = new double[batch * features * steps];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextDouble(-2, 2);
    }
    return Nd4j.createFromArray(values).reshape('c', batch, features, steps).castTo(DataType.FLOAT);
  }

  static INDArray steps(INDArray input, int from, int to) {
    return input.get(all(), all(), interval(from, to)).dup();
  }

  /** What a network gives for the steps from one on, a few at a time. */
  static INDArray inChunks(
      SplittableRandom random, UnaryOperator<INDArray> rnnTimeStep, INDArray input, int from) {
    INDArray[] parts = new INDArray[(int) input.size(2) - from];
    int count = 0;
    for (int begin = from; begin < input.size(2); ) {
      int end = (int) Math.min(input.size(2), begin + random.nextInt(1, 5));
      parts[count++] = rnnTimeStep.apply(steps(input, begin, end)).dup();
      begin = end;
    }
    return Nd4j.concat(2, Arrays.copyOf(parts, count));
  }

  static void assertClose(INDArray expected, INDArray actual, String what) {
    assertArrayEquals(expected.shape(), actual.shape(), what);
    assertArrayEquals(
        expected.dup('c').reshape(expected.length()).toFloatVector(),
        actual.dup('c').reshape(actual.length()).toFloatVector(),
        2e-5f,
        what);
  }
}
