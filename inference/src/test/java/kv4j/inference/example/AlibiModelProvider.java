package kv4j.inference.example;

import java.io.File;
import kv4j.model.ByteTokenizer;
import kv4j.model.GraphNames;
import kv4j.model.Model;
import kv4j.model.ModelProvider;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.factory.Nd4j;

// snippet:alibi-model
/**
 * {@code alibi}: a small untrained transformer that {@code TransformerGraph} does not build.
 * Instead of positions it has biases that grow with the distance (ALiBi, Press et al. 2021), and a
 * squared ReLU between its feed-forward projections.
 */
public final class AlibiModelProvider implements ModelProvider {
  private static final int LAYERS = 3;
  private static final int DIM = 24;
  private static final int HEADS = 4;
  private static final int HEAD_DIM = 6;

  @Override
  public String name() {
    return "alibi";
  }

  @Override
  public String description() {
    return "an untrained model with ALiBi; its argument is the seed of its weights or its saved graph";
  }

  @Override
  public Model create(String argument) {
    SameDiff graph = argument.endsWith(".fb") ? read(new File(argument)) : build(argument);
    return Model.ofGraph("alibi", config(), graph, new ByteTokenizer(), "bytes");
  }

  private static SameDiff read(File file) {
    if (!file.isFile()) {
      throw new IllegalArgumentException("there is no saved graph " + file);
    }
    return SameDiff.load(file, false);
  }

  private static SameDiff build(String argument) {
    Random random = Nd4j.getRandomFactory().getNewRandomInstance(seed(argument));
    int vocabulary = ByteTokenizer.VOCABULARY;
    SameDiff graph = SameDiff.create();
    SDVariable tokens = graph.placeHolder(GraphNames.TOKENS, DataType.INT32, -1);
    SDVariable positions = graph.placeHolder(GraphNames.POSITIONS, DataType.INT32, -1);
    SDVariable later =
        graph.castTo(graph.gt(positions, graph.expandDims(positions, 1)), DataType.FLOAT);
    SDVariable mask = later.mul(GraphNames.CAUSAL_MASK, graph.constant(-1e9f));
    // A softmax does not change if all scores of a row do, so counting the tokens is enough. They
    // are as many as the mask has columns: more than there are rows once there is a past.
    SDVariable distances = graph.cumsum(graph.onesLike(mask), 1);
    SDVariable slopes =
        graph.constant(
            Nd4j.createFromArray(new float[][][] {{{0.5f}}, {{0.25f}}, {{0.125f}}, {{0.0625f}}}));
    SDVariable bias = graph.expandDims(distances, 0).mul(slopes).add(graph.expandDims(mask, 0));
    SDVariable rows =
        graph.gather(weight(graph, "token_embedding", random, vocabulary, DIM), tokens, 0);
    for (int layer = 0; layer < LAYERS; layer++) {
      String prefix = "layer_" + layer + "/";
      SDVariable queries = heads(graph, rows.mmul(weight(graph, prefix + "q", random, DIM, DIM)));
      SDVariable keys = heads(graph, rows.mmul(weight(graph, prefix + "k", random, DIM, DIM)));
      SDVariable values = heads(graph, rows.mmul(weight(graph, prefix + "v", random, DIM, DIM)));
      // Here the cache plugs in: from these two on there may be more tokens than rows.
      keys = graph.identity(GraphNames.inLayer(layer, GraphNames.CORE_KEYS), keys);
      values = graph.identity(GraphNames.inLayer(layer, GraphNames.CORE_VALUES), values);
      SDVariable scores =
          graph.mmul(
              graph.permute(queries, 1, 0, 2), graph.permute(keys, 1, 0, 2), false, true, false);
      SDVariable shares = graph.nn().softmax(scores.mul(1 / Math.sqrt(HEAD_DIM)).add(bias));
      SDVariable mixed = graph.permute(graph.mmul(shares, graph.permute(values, 1, 0, 2)), 1, 0, 2);
      SDVariable attended = graph.reshape(mixed, -1, DIM);
      rows = rows.add(attended.mmul(weight(graph, prefix + "o", random, DIM, DIM)));
      SDVariable up = rows.mmul(weight(graph, prefix + "up", random, DIM, 2 * DIM));
      SDVariable squared = graph.math().square(graph.nn().relu(up, 0));
      rows = rows.add(squared.mmul(weight(graph, prefix + "down", random, 2 * DIM, DIM)));
      rows = graph.math().tanh(rows);
    }
    graph.mmul(GraphNames.LOGITS, rows, weight(graph, "output", random, DIM, vocabulary));
    return graph;
  }

  /** What there is no word for is as in GPT-2. */
  private static TransformerConfig config() {
    return new TransformerConfig(
        LAYERS,
        DIM,
        HEADS,
        HEADS,
        HEAD_DIM,
        2 * DIM,
        ByteTokenizer.VOCABULARY,
        512,
        1e-5f,
        new Positions.Learned(),
        TransformerConfig.Block.GPT2,
        false);
  }

  private static long seed(String argument) {
    try {
      return argument.isEmpty() ? 1 : Long.parseLong(argument);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("the seed of alibi must be a number, not " + argument, e);
    }
  }

  private static SDVariable weight(
      SameDiff graph, String name, Random random, int rows, int columns) {
    INDArray array = Nd4j.randn(0, 2 / Math.sqrt(rows), new long[] {rows, columns}, random);
    return graph.var(name, array.castTo(DataType.FLOAT).dup('c'));
  }

  private static SDVariable heads(SameDiff graph, SDVariable rows) {
    return graph.reshape(rows, -1, HEADS, HEAD_DIM);
  }
}
// end:alibi-model
