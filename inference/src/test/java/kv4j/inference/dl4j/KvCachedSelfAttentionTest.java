package kv4j.inference.dl4j;

import static kv4j.inference.dl4j.Networks.assertClose;
import static kv4j.inference.dl4j.Networks.inChunks;
import static kv4j.inference.dl4j.Networks.input;
import static kv4j.inference.dl4j.Networks.residual;
import static kv4j.inference.dl4j.Networks.settings;
import static kv4j.inference.dl4j.Networks.stack;
import static kv4j.inference.dl4j.Networks.steps;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import org.deeplearning4j.gradientcheck.GradientCheckUtil;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class KvCachedSelfAttentionTest {
  @Test
  void wholeSequencesAndChunksAgreeWithTheDefinition() {
    for (int seed = 0; seed < 20; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      int batch = random.nextInt(1, 4);
      int nIn = random.nextInt(1, 9);
      int heads = random.nextInt(1, 4);
      int steps = random.nextInt(1, 40);
      MultiLayerNetwork network =
          new MultiLayerNetwork(
              settings(seed, DataType.FLOAT)
                  .list()
                  .layer(
                      new KvCachedSelfAttention.Builder()
                          .nIn(nIn)
                          .nOut(random.nextInt(1, 9))
                          .heads(heads)
                          .headSize(random.nextInt(1, 20))
                          .build())
                  .layer(
                      new RnnLossLayer.Builder(LossFunction.MSE)
                          .activation(Activation.IDENTITY)
                          .build())
                  .build());
      network.init();
      INDArray input = input(random, batch, nIn, steps);
      INDArray expected = plain(network, heads, input);
      assertClose(expected, network.output(input), "whole, seed " + seed);
      for (int again = 0; again < 2; again++) {
        network.rnnClearPreviousState();
        assertClose(
            expected, inChunks(random, network::rnnTimeStep, input, 0), "chunks, seed " + seed);
      }
    }
  }

  private static INDArray plain(MultiLayerNetwork network, int heads, INDArray input) {
    INDArray[] outputs = new INDArray[(int) input.size(0)];
    for (int i = 0; i < outputs.length; i++) {
      double[][] rows = input.slice(i).transpose().toDoubleMatrix();
      double[][] output =
          PlainAttention.run(
              rows,
              heads,
              network.getParam("0_Wq"),
              network.getParam("0_Wk"),
              network.getParam("0_Wv"),
              network.getParam("0_Wo"));
      outputs[i] = Nd4j.createFromArray(output).transpose().castTo(DataType.FLOAT);
    }
    return Nd4j.stack(0, outputs);
  }

  @Test
  void stepsAgreeWithTheWholeThroughManyLayers() {
    for (int seed = 0; seed < 5; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      INDArray input = input(random, 1 + seed % 3, 6, 30);
      MultiLayerNetwork network =
          new MultiLayerNetwork(stack(settings(seed, DataType.FLOAT), 3, 6, 2, 5));
      network.init();
      assertClose(
          network.output(input),
          inChunks(random, network::rnnTimeStep, input, 0),
          "layers, seed " + seed);
      ComputationGraph graph =
          new ComputationGraph(residual(settings(seed, DataType.FLOAT), 6, 2, 5));
      graph.init();
      INDArray expected = graph.outputSingle(input);
      for (int again = 0; again < 2; again++) {
        graph.rnnClearPreviousState();
        assertClose(
            expected,
            inChunks(random, part -> graph.rnnTimeStep(part)[0], input, 0),
            "graph, seed " + seed);
      }
    }
  }

  @Test
  void oneStepMayComeWithoutADimensionForIt() {
    INDArray input = input(new SplittableRandom(3), 2, 4, 6);
    MultiLayerNetwork network = network(3);
    INDArray expected = network.output(input);
    for (int step = 0; step < 6; step++) {
      INDArray slice = steps(input, step, step + 1).reshape(2, 4);
      INDArray output = network.rnnTimeStep(slice).reshape(2, 3, 1);
      assertClose(steps(expected, step, step + 1), output, "step " + step);
    }
  }

  @Test
  void theStateContinuesElsewhere() {
    INDArray input = input(new SplittableRandom(4), 2, 4, 20);
    MultiLayerNetwork network = network(4);
    INDArray expected = network.output(input);
    network.rnnTimeStep(steps(input, 0, 17));
    MultiLayerNetwork other = network.clone();
    for (int layer = 0; layer < 2; layer++) {
      Map<String, INDArray> state = network.rnnGetPreviousState(layer);
      assertEquals(17, state.get("keys").size(1));
      other.rnnSetPreviousState(layer, state);
    }
    assertClose(steps(expected, 17, 20), other.rnnTimeStep(steps(input, 17, 20)), "continued");
  }

  @Test
  void maskedStepsAreZeroAndUnseen() {
    INDArray input = input(new SplittableRandom(5), 2, 4, 8);
    MultiLayerNetwork network = network(5);
    INDArray mask = Nd4j.ones(DataType.FLOAT, 2, 8);
    mask.putScalar(1, 0, 0);
    mask.putScalar(1, 1, 0);
    INDArray attended =
        network.feedForward(input, mask, null).get(1); // of the first attention layer
    INDArray without = network.feedForward(steps(input, 2, 8)).get(1);
    assertClose(without.slice(1), steps(attended, 2, 8).slice(1), "padded in front");
    assertClose(network.feedForward(input).get(1).slice(0), attended.slice(0), "not padded");
    assertEquals(0, steps(attended, 0, 2).slice(1).amaxNumber().doubleValue());
  }

  @Test
  void gradientsAreThoseOfTheLoss() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(stack(settings(6, DataType.DOUBLE).updater(new NoOp()), 2, 4, 2, 3));
    network.init();
    INDArray input = input(new SplittableRandom(6), 2, 4, 5).castTo(DataType.DOUBLE);
    INDArray labels = labels(2, 3, 5).castTo(DataType.DOUBLE);
    Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE); // the check insists
    try {
      assertTrue(
          GradientCheckUtil.checkGradients(
              new GradientCheckUtil.MLNConfig()
                  .net(network)
                  .epsilon(1e-6)
                  .maxRelError(1e-4)
                  .minAbsoluteError(1e-8)
                  .input(input)
                  .labels(labels)));
    } finally {
      Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    }
  }

  @Test
  void networksLearn() {
    MultiLayerNetwork network = network(7);
    INDArray input = input(new SplittableRandom(7), 4, 4, 6);
    INDArray labels = labels(4, 3, 6);
    network.fit(input, labels);
    double before = network.score();
    for (int i = 0; i < 60; i++) {
      network.fit(input, labels);
    }
    assertTrue(network.score() < 0.9 * before, before + " to " + network.score());
    assertClose(
        network.output(input),
        inChunks(new SplittableRandom(7), network::rnnTimeStep, input, 0),
        "after learning");
  }

  /** {@code [batch, classes, steps]}, the classes in turn. */
  private static INDArray labels(int batch, int classes, int steps) {
    INDArray labels = Nd4j.zeros(DataType.FLOAT, batch, classes, steps);
    for (int i = 0; i < batch; i++) {
      for (int step = 0; step < steps; step++) {
        labels.putScalar(i, (i + step) % classes, step, 1);
      }
    }
    return labels;
  }

  @Test
  void configurationsAndNetworksAreReadBack(@TempDir Path folder) throws Exception {
    MultiLayerConfiguration layers = stack(settings(8, DataType.FLOAT), 2, 4, 2, 3);
    assertEquals(layers, MultiLayerConfiguration.fromJson(layers.toJson()));
    assertNotEquals(layers, stack(settings(8, DataType.FLOAT), 2, 4, 1, 3));
    ComputationGraphConfiguration graph = residual(settings(8, DataType.FLOAT), 4, 2, 3);
    assertEquals(graph, ComputationGraphConfiguration.fromJson(graph.toJson()));

    MultiLayerNetwork network = network(8);
    INDArray input = input(new SplittableRandom(8), 2, 4, 9);
    network.save(folder.resolve("network.zip").toFile());
    MultiLayerNetwork read = MultiLayerNetwork.load(folder.resolve("network.zip").toFile(), false);
    assertClose(network.output(input), read.rnnTimeStep(input), "read back");
  }

  @Test
  void whatItCannotDoIsRefused() {
    MultiLayerNetwork network = network(9);
    INDArray input = input(new SplittableRandom(9), 2, 4, 3);
    network.rnnTimeStep(input);
    Exception batch =
        assertThrows(
            IllegalArgumentException.class,
            () -> network.rnnTimeStep(input(new SplittableRandom(9), 3, 4, 1)));
    assertTrue(batch.getMessage().startsWith("a batch of 3 cannot continue 2 sequences"));
    assertThrows(IllegalArgumentException.class, () -> new KvCachedSelfAttention.Builder().build());
    assertThrows(
        IllegalArgumentException.class,
        () -> new KvCachedSelfAttention.Builder().nOut(5).heads(2).build());
    MultiLayerConfiguration truncated = stack(settings(9, DataType.FLOAT), 1, 4, 2, 3);
    truncated.setBackpropType(BackpropType.TruncatedBPTT);
    truncated.setTbpttFwdLength(2);
    truncated.setTbpttBackLength(2);
    MultiLayerNetwork learner = new MultiLayerNetwork(truncated);
    learner.init();
    Exception learning =
        assertThrows(
            UnsupportedOperationException.class, () -> learner.fit(input, labels(2, 3, 3)));
    assertTrue(learning.getMessage().contains("whole sequences"), learning.getMessage());
    Exception half =
        assertThrows(
            IllegalArgumentException.class,
            () -> new MultiLayerNetwork(stack(settings(9, DataType.HALF), 1, 4, 2, 3)).init());
    assertTrue(half.getMessage().contains("HALF"), half.getMessage());
  }

  /** Two attention layers, 4 inputs, 3 classes. */
  private static MultiLayerNetwork network(long seed) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(stack(settings(seed, DataType.FLOAT), 2, 4, 2, 3));
    network.init();
    return network;
  }
}
