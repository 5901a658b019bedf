package kv4j.model;

import static kv4j.model.GraphNames.inLayer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import kv4j.model.TransformerConfig.Activation;
import kv4j.model.TransformerConfig.Biases;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.Norm;
import kv4j.model.TransformerConfig.RopePairing;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TransformerGraphTest {
  private static final List<Block> BLOCKS =
      List.of(
          Block.LLAMA,
          Block.QWEN2,
          Block.QWEN3,
          Block.GPT2,
          new Block(Norm.LAYER, Activation.SWIGLU, Biases.ALL, true),
          new Block(Norm.RMS, Activation.GELU, Biases.NONE, false));

  @Test
  void stockSessionComputesTheForwardPass() {
    for (int seed = 0; seed < 32; seed++) {
      Random random = new Random(seed);
      TransformerWeights weights = randomWeights(randomConfig(random, seed), random);
      int[] tokens = randomTokens(random, weights.config(), 1 + random.nextInt(20));
      double[][] expected = new ReferenceTransformer(weights).logits(tokens);
      float[][] actual = StockSession.logits(TransformerGraph.build(weights), tokens);
      double largest =
          Arrays.stream(expected).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElse(0);
      for (int t = 0; t < tokens.length; t++) {
        for (int v = 0; v < expected[t].length; v++) {
          assertEquals(
              expected[t][v],
              actual[t][v],
              1e-4 * Math.max(1, largest),
              "seed " + seed + ", token " + t + ", " + weights.config());
        }
      }
    }
  }

  @Test
  void laterTokensDoNotChangeEarlierLogits() {
    Random random = new Random(5);
    TransformerWeights weights = randomWeights(randomConfig(random, 0), random);
    SameDiff graph = TransformerGraph.build(weights);
    int[] tokens = randomTokens(random, weights.config(), 12);
    float[][] all = StockSession.logits(graph, tokens);
    float[][] first = StockSession.logits(graph, Arrays.copyOf(tokens, 7));
    for (int t = 0; t < 7; t++) {
      assertArrayEquals(first[t], all[t], 1e-4f);
    }
  }

  @Test
  void savedGraphGivesTheSameLogits(@TempDir Path folder) throws IOException {
    Random random = new Random(6);
    TransformerWeights weights = randomWeights(randomConfig(random, 0), random);
    SameDiff graph = TransformerGraph.build(weights);
    graph.asFlatFile(folder.resolve("graph.fb").toFile());
    SameDiff loaded = SameDiff.fromFlatFile(folder.resolve("graph.fb").toFile());
    int[] tokens = randomTokens(random, weights.config(), 9);
    float[][] expected = StockSession.logits(graph, tokens);
    float[][] actual = StockSession.logits(loaded, tokens);
    for (int t = 0; t < tokens.length; t++) {
      assertArrayEquals(expected[t], actual[t], "token " + t);
    }
  }

  @Test
  void resultsHaveTheirDocumentedNamesAndShapes() {
    TransformerConfig config =
        new TransformerConfig(2, 20, 6, 3, 4, 7, 11, 32, 1e-5f, 1e4f, RopePairing.SPLIT, false);
    SameDiff graph = TransformerGraph.build(DemoModels.randomWeights(config, 1));
    Map<String, List<Integer>> shapes = new LinkedHashMap<>();
    shapes.put(GraphNames.EMBEDDING, List.of(5, 20));
    shapes.put(GraphNames.COS, List.of(5, 2));
    shapes.put(GraphNames.SIN, List.of(5, 2));
    shapes.put(GraphNames.CAUSAL_MASK, List.of(5, 5));
    shapes.put(GraphNames.FINAL_NORM, List.of(5, 20));
    shapes.put(GraphNames.LOGITS, List.of(5, 11));
    for (int i = 0; i < config.layers(); i++) {
      shapes.put(inLayer(i, GraphNames.ATTENTION_NORM), List.of(5, 20));
      shapes.put(inLayer(i, GraphNames.QKV), List.of(5, 48));
      shapes.put(inLayer(i, GraphNames.QUERIES), List.of(5, 6, 4));
      shapes.put(inLayer(i, GraphNames.KEYS), List.of(5, 3, 4));
      shapes.put(inLayer(i, GraphNames.VALUES), List.of(5, 3, 4));
      shapes.put(inLayer(i, GraphNames.CORE_KEYS), List.of(5, 3, 4));
      shapes.put(inLayer(i, GraphNames.CORE_VALUES), List.of(5, 3, 4));
      shapes.put(inLayer(i, GraphNames.CORE), List.of(5, 24));
      shapes.put(inLayer(i, GraphNames.ATTENTION_OUTPUT), List.of(5, 20));
      shapes.put(inLayer(i, GraphNames.ATTENTION_RESIDUAL), List.of(5, 20));
      shapes.put(inLayer(i, GraphNames.FFN_NORM), List.of(5, 20));
      shapes.put(inLayer(i, GraphNames.GATE_UP), List.of(5, 14));
      shapes.put(inLayer(i, GraphNames.ACTIVATION), List.of(5, 7));
      shapes.put(inLayer(i, GraphNames.DOWN), List.of(5, 20));
      shapes.put(inLayer(i, GraphNames.FFN_RESIDUAL), List.of(5, 20));
    }
    int[] tokens = {1, 2, 3, 4, 5};
    shapes.forEach(
        (name, shape) -> {
          long[] actual = StockSession.output(graph, tokens, name).shape();
          assertEquals(shape, Arrays.stream(actual).mapToObj(n -> (int) n).toList(), name);
        });
    assertArrayEquals(new long[] {32, 2}, graph.getVariable(GraphNames.COS_TABLE).getShape());
    assertArrayEquals(new long[] {32, 2}, graph.getVariable(GraphNames.SIN_TABLE).getShape());
  }

  @Test
  void everyOpBelongsToAScopeThatEndsInANamedResult() {
    SameDiff graph = TransformerGraph.build(DemoModels.randomWeights(ModelPreset.TINY.config(), 1));
    graph
        .getOps()
        .values()
        .forEach(
            op -> {
              String scope = GraphNames.scope(op.getName());
              for (String result : op.getOutputsOfOp()) {
                assertEquals(scope, GraphNames.scope(result), op.getName());
              }
            });
    assertEquals(List.of(GraphNames.LOGITS), graph.outputs());
  }

  /**
   * Odd sizes; seeds walk through all kinds of blocks and positions, and tied and untied output.
   */
  private static TransformerConfig randomConfig(Random random, int seed) {
    int kvHeads = 1 + random.nextInt(3);
    Block block = BLOCKS.get(seed % BLOCKS.size());
    boolean rotary = block.headNorms() || seed / BLOCKS.size() % 3 > 0;
    int headDim = rotary ? 2 * (1 + random.nextInt(5)) : 1 + random.nextInt(10);
    return new TransformerConfig(
        1 + random.nextInt(3),
        3 + random.nextInt(30),
        kvHeads * (1 + random.nextInt(4)),
        kvHeads,
        headDim,
        1 + random.nextInt(40),
        5 + random.nextInt(40),
        20 + random.nextInt(20),
        random.nextBoolean() ? 1e-5f : 1e-2f,
        rotary ? randomRotary(random, headDim) : new Positions.Learned(),
        block,
        random.nextBoolean());
  }

  private static Positions randomRotary(Random random, int headDim) {
    float theta = random.nextBoolean() ? 1e4f : 37f;
    List<Positions.Scaling> scalings =
        List.of(
            Positions.Scaling.NONE,
            new Positions.Linear(4),
            Positions.llama3(theta, headDim, 8, 1, 4, 24));
    return new Positions.Rotary(
        theta,
        random.nextBoolean() ? RopePairing.ADJACENT : RopePairing.SPLIT,
        scalings.get(random.nextInt(3)));
  }

  /** Unlike the demo models', the gains differ from 1. */
  private static TransformerWeights randomWeights(TransformerConfig config, Random random) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    TransformerWeights.shapes(config)
        .forEach(
            (name, shape) -> {
              float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
              for (int i = 0; i < values.length; i++) {
                boolean gain = name.endsWith("/gain");
                double deviation = gain || shape.length == 1 ? 0.3 : 1 / Math.sqrt(shape[0]);
                double mean = gain ? 1 : 0;
                values[i] = (float) (mean + deviation * random.nextGaussian());
              }
              arrays.put(name, Nd4j.create(values, shape, 'c'));
            });
    return new TransformerWeights(config, arrays);
  }

  private static int[] randomTokens(Random random, TransformerConfig config, int count) {
    return random.ints(count, 0, config.vocabulary()).toArray();
  }
}
