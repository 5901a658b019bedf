package kv4j.model;

import static kv4j.model.GraphNames.inLayer;

import kv4j.model.TransformerConfig.Activation;
import kv4j.model.TransformerConfig.Norm;
import kv4j.model.weight.WeightArrays;
import org.nd4j.autodiff.samediff.NameScope;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.array.SingleThreadArrayHolder;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Builds the SameDiff graph of a decoder-only transformer with grouped-query attention (Ainslie et
 * al. 2023), of the parts that its {@link TransformerConfig} names.
 *
 * <p>The graph has no past: it computes a whole sequence from standard ops alone, and any SameDiff
 * session runs it. Its names are in {@link GraphNames}.
 */
// A name scope is opened and closed, never read.
@SuppressWarnings("try")
public final class TransformerGraph {
  /** Beyond any score, so that its exponential is 0; finite, so that no difference is NaN. */
  private static final float MASKED = -1e9f;

  private static final double GELU_LINEAR = 2 * Math.sqrt(2 / Math.PI);

  private final SameDiff graph = SameDiff.create();
  private final TransformerConfig config;
  private final int group;

  private SDVariable epsilon;
  private SDVariable meanFactor;
  private SDVariable headMeanFactor;
  private SDVariable scoreFactor;
  private SDVariable queryKeyAndValueHeads;
  private SDVariable rotatedAndValueHeads;
  private SDVariable queryAndKeyHeads;
  private SDVariable quarterTurn;
  private SDVariable headCos;
  private SDVariable headSin;
  private SDVariable geluLinear;
  private SDVariable geluCubic;
  private SDVariable mask;

  private TransformerGraph(TransformerConfig config) {
    this.config = config;
    // Those that SameDiff takes of itself keep a copy of every array for threads to come.
    graph.setVariablesArrays(new WeightArrays());
    graph.setConstantArrays(new SingleThreadArrayHolder());
    group = config.heads() / config.kvHeads();
  }

  /** The graph with its weights, which are not copied. */
  public static SameDiff build(TransformerWeights weights) {
    TransformerGraph builder = new TransformerGraph(weights.config());
    SameDiff graph = builder.graph;
    TransformerWeights.shapes(weights.config())
        .forEach(
            (name, shape) -> {
              if (weights.panels().containsKey(name)) {
                graph.addVariable(
                    new SDVariable(name, VariableType.VARIABLE, graph, shape, DataType.FLOAT));
              } else {
                graph.var(name, weights.arrays().get(name));
              }
            });
    // Only now: whenever an array is added, SameDiff looks through all that there are.
    WeightArrays arrays = (WeightArrays) graph.getVariablesArrays();
    weights.panels().forEach(arrays::put);
    builder.buildAll();
    return builder.graph;
  }

  private void buildAll() {
    SDVariable tokens = graph.placeHolder(GraphNames.TOKENS, DataType.INT32, -1);
    SDVariable positions = graph.placeHolder(GraphNames.POSITIONS, DataType.INT32, -1);
    epsilon = graph.constant("norm_epsilon", Nd4j.scalar(config.normEpsilon()));
    meanFactor = graph.constant("norm_mean_factor", Nd4j.scalar(1f / config.dim()));
    if (config.block().headNorms()) {
      headMeanFactor = graph.constant("head_mean_factor", Nd4j.scalar(1f / config.headDim()));
    }
    scoreFactor =
        graph.constant("score_factor", Nd4j.scalar((float) (1 / Math.sqrt(config.headDim()))));
    if (config.block().activation() == Activation.GELU) {
      geluLinear = graph.constant("gelu_linear", Nd4j.scalar((float) GELU_LINEAR));
      geluCubic = graph.constant("gelu_cubic", Nd4j.scalar((float) (GELU_LINEAR * 0.044715)));
    }
    SDVariable rows = embedding(tokens, positions);
    if (config.positions() instanceof Positions.Rotary rotary) {
      rotary(positions, rotary);
    } else {
      queryKeyAndValueHeads =
          graph.constant(
              "sizes_q_k_v",
              Nd4j.createFromArray(config.heads(), config.kvHeads(), config.kvHeads()));
    }
    causalMask(positions);
    for (int layer = 0; layer < config.layers(); layer++) {
      try (NameScope scope = graph.withNameScope("layer_" + layer)) {
        rows = feedForward(layer, attention(layer, rows));
      }
    }
    SDVariable normed = norm("final_norm", rows, "");
    if (config.tiedOutput()) {
      SDVariable embedding = weight(GraphNames.TOKEN_EMBEDDING);
      graph.mmul(GraphNames.LOGITS, normed, embedding, false, true, false);
    } else {
      graph.mmul(GraphNames.LOGITS, normed, weight(GraphNames.OUTPUT_WEIGHT));
    }
    graph.setOutputs(GraphNames.LOGITS);
  }

  private SDVariable weight(String name) {
    return graph.getVariable(name);
  }

  private SDVariable embedding(SDVariable tokens, SDVariable positions) {
    try (NameScope scope = graph.withNameScope("embedding")) {
      SDVariable table = weight(GraphNames.TOKEN_EMBEDDING);
      if (config.positions() instanceof Positions.Rotary) {
        return graph.gather("out", table, tokens, 0);
      }
      SDVariable ofTokens = graph.gather("tokens", table, tokens, 0);
      return ofTokens.add(
          "out", graph.gather("positions", weight(GraphNames.POSITION_EMBEDDING), positions, 0));
    }
  }

  /**
   * Cosines and sines of the rows' positions, spread over the elements of all query and key heads:
   * {@code [rows * (heads + kvHeads), headDim]}.
   */
  private void rotary(SDVariable positions, Positions.Rotary rotary) {
    int rotated = config.heads() + config.kvHeads();
    RotaryTables tables = new RotaryTables(config, rotary);
    try (NameScope scope = graph.withNameScope("rotary")) {
      SDVariable cosTable = graph.constant(GraphNames.COS_TABLE, tables.cos());
      SDVariable sinTable = graph.constant(GraphNames.SIN_TABLE, tables.sin());
      SDVariable spread = graph.constant("rotary/spread", tables.spread(rotated));
      quarterTurn = graph.constant("rotary/quarter_turn", tables.quarterTurn());
      rotatedAndValueHeads =
          graph.constant("rotary/sizes_qk_v", Nd4j.createFromArray(rotated, config.kvHeads()));
      queryAndKeyHeads =
          graph.constant(
              "rotary/sizes_q_k", Nd4j.createFromArray(config.heads(), config.kvHeads()));
      SDVariable cos = graph.gather("cos", cosTable, positions, 0);
      SDVariable sin = graph.gather("sin", sinTable, positions, 0);
      headCos = graph.reshape("head_cos", graph.mmul(cos, spread), -1, config.headDim());
      headSin = graph.reshape("head_sin", graph.mmul(sin, spread), -1, config.headDim());
    }
  }

  /**
   * {@code [group * rows, rows]}: 0 where a row may attend to another, else {@link #MASKED}; once
   * for each query head of a group.
   */
  private void causalMask(SDVariable positions) {
    try (NameScope scope = graph.withNameScope("causal_mask")) {
      SDVariable future = graph.gt(positions, graph.expandDims(positions, 1));
      SDVariable masked = graph.constant("causal_mask/masked", Nd4j.scalar(MASKED));
      mask = graph.castTo(future, DataType.FLOAT).mul("out", masked);
      if (group > 1) {
        mask = graph.tile("per_query_head", mask, group, 1);
      }
    }
  }

  private SDVariable attention(int layer, SDVariable rows) {
    try (NameScope scope = graph.withNameScope("attention")) {
      String prefix = inLayer(layer, "attention/");
      SDVariable qkv = project("qkv", norm("norm", rows, prefix), prefix);
      SDVariable[] heads =
          config.positions() instanceof Positions.Rotary ? rotated(layer, qkv) : split(qkv);
      return rows.add("residual", project("output", attend(heads), prefix));
    }
  }

  private SDVariable feedForward(int layer, SDVariable rows) {
    try (NameScope scope = graph.withNameScope("ffn")) {
      String prefix = inLayer(layer, "ffn/");
      boolean gated = config.block().activation() == Activation.SWIGLU;
      SDVariable up = project(gated ? "gate_up" : "up", norm("norm", rows, prefix), prefix);
      return rows.add("residual", project("down", gated ? swiGlu(up) : gelu(up), prefix));
    }
  }

  private SDVariable swiGlu(SDVariable gateUp) {
    try (NameScope scope = graph.withNameScope("activation")) {
      SDVariable[] halves = graph.split(gateUp, 2, 1);
      return graph.nn().swish(halves[0]).mul("out", halves[1]);
    }
  }

  /**
   * {@code x * sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3))}, which is the tanh approximation of
   * GELU.
   */
  private SDVariable gelu(SDVariable up) {
    try (NameScope scope = graph.withNameScope("activation")) {
      SDVariable slope = graph.math().square(up).mul(geluCubic).add(geluLinear);
      return up.mul("out", graph.nn().sigmoid(slope.mul(up)));
    }
  }

  /**
   * RMSNorm: {@code x / sqrt(mean(x^2) + epsilon) * gain}. LayerNorm is the same of {@code x -
   * mean(x)}, plus a bias.
   *
   * @param prefix what comes before the norm's name in those of its weights
   */
  private SDVariable norm(String name, SDVariable rows, String prefix) {
    SDVariable gain = weight(prefix + name + "/gain");
    try (NameScope scope = graph.withNameScope(name)) {
      if (config.block().norm() == Norm.RMS) {
        return unitRows(rows, meanFactor).mul("out", gain);
      }
      SDVariable centred = rows.sub(graph.mean(rows, true, 1));
      return unitRows(centred, meanFactor).mul(gain).add("out", weight(prefix + name + "/bias"));
    }
  }

  /** Rows over the root of their mean square. */
  private SDVariable unitRows(SDVariable rows, SDVariable oneOverColumns) {
    SDVariable meanSquare = graph.squaredNorm(rows, true, 1).mul(oneOverColumns);
    return rows.mul(graph.math().rsqrt(meanSquare.add(epsilon)));
  }

  /** Multiplies with the projection's weight, and adds its bias if it has one. */
  private SDVariable project(String name, SDVariable rows, String prefix) {
    SDVariable weight = weight(prefix + name + "/weight");
    String bias = prefix + name + "/bias";
    try (NameScope scope = graph.withNameScope(name)) {
      return graph.hasVariable(bias)
          ? graph.mmul("product", rows, weight).add("out", weight(bias))
          : graph.mmul("out", rows, weight);
    }
  }

  /** Splits the joint projection into heads, as {@link #rotated} does, without turning them. */
  private SDVariable[] split(SDVariable qkv) {
    try (NameScope scope = graph.withNameScope("rotary")) {
      SDVariable heads =
          graph.reshape(qkv, -1, config.heads() + 2 * config.kvHeads(), config.headDim());
      return graph.splitV(
          new String[] {"queries", "keys", "values"}, heads, queryKeyAndValueHeads, 3, 1);
    }
  }

  /**
   * Splits the joint projection into heads and turns queries and keys: {@code x * cos + turned(x) *
   * sin}, where {@code turned} takes a pair {@code (a, b)} to {@code (-b, a)}. Heads with norms are
   * normed before.
   *
   * @return queries {@code [rows, heads, headDim]}, keys and values {@code [rows, kvHeads,
   *     headDim]}
   */
  private SDVariable[] rotated(int layer, SDVariable qkv) {
    int headDim = config.headDim();
    try (NameScope scope = graph.withNameScope("rotary")) {
      SDVariable heads = graph.reshape(qkv, -1, config.heads() + 2 * config.kvHeads(), headDim);
      SDVariable[] split =
          graph.splitV(new String[] {"unrotated", "values"}, heads, rotatedAndValueHeads, 2, 1);
      SDVariable vectors = graph.reshape(split[0], -1, headDim);
      if (config.block().headNorms()) {
        SDVariable unit =
            graph.reshape(
                unitRows(vectors, headMeanFactor), -1, config.heads() + config.kvHeads(), headDim);
        SDVariable gain = weight(inLayer(layer, GraphNames.HEAD_NORM_GAIN));
        vectors = graph.reshape(unit.mul(gain), -1, headDim);
      }
      SDVariable turned = graph.mmul(vectors, quarterTurn);
      SDVariable sum = vectors.mul(headCos).add(turned.mul(headSin));
      SDVariable rotated = graph.reshape(sum, -1, config.heads() + config.kvHeads(), headDim);
      SDVariable[] queriesAndKeys =
          graph.splitV(new String[] {"queries", "keys"}, rotated, queryAndKeyHeads, 2, 1);
      return new SDVariable[] {queriesAndKeys[0], queriesAndKeys[1], split[1]};
    }
  }

  /**
   * Softmax attention. The query heads of a group are stacked into one matrix, {@code [kvHeads,
   * group * rows, headDim]}, so that keys and values need not be repeated.
   *
   * @return {@code [rows, heads * headDim]}
   */
  private SDVariable attend(SDVariable[] rotated) {
    int headDim = config.headDim();
    try (NameScope scope = graph.withNameScope("core")) {
      SDVariable keys = graph.identity("keys", rotated[1]);
      SDVariable values = graph.identity("values", rotated[2]);
      SDVariable queries = graph.permute(rotated[0], 1, 0, 2);
      if (group > 1) {
        queries = graph.reshape(queries, config.kvHeads(), -1, headDim);
      }
      SDVariable keysByHead = graph.permute(keys, 1, 0, 2);
      SDVariable scores = graph.mmul(queries.mul(scoreFactor), keysByHead, false, true, false);
      SDVariable shares = graph.nn().softmax(scores.add(mask));
      SDVariable attended = graph.mmul(shares, graph.permute(values, 1, 0, 2));
      if (group > 1) {
        attended = graph.reshape(attended, config.heads(), -1, headDim);
      }
      SDVariable byRow = graph.permute(attended, 1, 0, 2);
      return graph.reshape("out", byRow, -1, config.heads() * headDim);
    }
  }
}
