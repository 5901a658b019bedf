package kv4j.model;

import static kv4j.model.GraphNames.inLayer;

import org.nd4j.autodiff.samediff.NameScope;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Builds the SameDiff graph of a transformer of the Llama family: RMSNorm (Zhang and Sennrich
 * 2019), rotary positions (Su et al. 2021), grouped-query attention (Ainslie et al. 2023) and
 * SwiGLU (Shazeer 2020).
 *
 * <p>The graph has no past: it computes a whole sequence from standard ops alone, and any SameDiff
 * session runs it. Its names are in {@link GraphNames}.
 */
// A name scope is opened and closed, never read.
@SuppressWarnings("try")
public final class TransformerGraph {
  /** Beyond any score, so that its exponential is 0; finite, so that no difference is NaN. */
  private static final float MASKED = -1e9f;

  private final SameDiff graph = SameDiff.create();
  private final TransformerConfig config;
  private final int group;

  private SDVariable epsilon;
  private SDVariable meanFactor;
  private SDVariable scoreFactor;
  private SDVariable rotatedAndValueHeads;
  private SDVariable queryAndKeyHeads;
  private SDVariable quarterTurn;
  private SDVariable headCos;
  private SDVariable headSin;
  private SDVariable mask;

  private TransformerGraph(TransformerConfig config) {
    this.config = config;
    group = config.heads() / config.kvHeads();
  }

  /** The graph with its weights, which are not copied. */
  public static SameDiff build(TransformerWeights weights) {
    TransformerGraph builder = new TransformerGraph(weights.config());
    weights.arrays().forEach(builder.graph::var);
    builder.buildAll();
    return builder.graph;
  }

  private void buildAll() {
    SDVariable tokens = graph.placeHolder(GraphNames.TOKENS, DataType.INT32, -1);
    SDVariable positions = graph.placeHolder(GraphNames.POSITIONS, DataType.INT32, -1);
    epsilon = graph.constant("norm_epsilon", Nd4j.scalar(config.normEpsilon()));
    meanFactor = graph.constant("norm_mean_factor", Nd4j.scalar(1f / config.dim()));
    scoreFactor =
        graph.constant("score_factor", Nd4j.scalar((float) (1 / Math.sqrt(config.headDim()))));
    SDVariable rows;
    try (NameScope scope = graph.withNameScope("embedding")) {
      rows = graph.gather("out", weight(GraphNames.TOKEN_EMBEDDING), tokens, 0);
    }
    rotary(positions);
    causalMask(positions);
    for (int layer = 0; layer < config.layers(); layer++) {
      try (NameScope scope = graph.withNameScope("layer_" + layer)) {
        rows = feedForward(layer, attention(layer, rows));
      }
    }
    SDVariable normed = norm("final_norm", rows, weight(GraphNames.FINAL_NORM_GAIN));
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

  /**
   * Cosines and sines of the rows' positions, spread over the elements of all query and key heads:
   * {@code [rows * (heads + kvHeads), headDim]}.
   */
  private void rotary(SDVariable positions) {
    int rotated = config.heads() + config.kvHeads();
    RotaryTables tables = new RotaryTables(config);
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
      SDVariable normed =
          norm("norm", rows, weight(inLayer(layer, GraphNames.ATTENTION_NORM_GAIN)));
      SDVariable qkv = project("qkv", normed, weight(inLayer(layer, GraphNames.QKV_WEIGHT)));
      SDVariable attended = attend(rotated(qkv));
      SDVariable projected =
          project("output", attended, weight(inLayer(layer, GraphNames.ATTENTION_OUTPUT_WEIGHT)));
      return rows.add("residual", projected);
    }
  }

  private SDVariable feedForward(int layer, SDVariable rows) {
    try (NameScope scope = graph.withNameScope("ffn")) {
      SDVariable normed = norm("norm", rows, weight(inLayer(layer, GraphNames.FFN_NORM_GAIN)));
      SDVariable gateUp =
          project("gate_up", normed, weight(inLayer(layer, GraphNames.GATE_UP_WEIGHT)));
      SDVariable activation;
      try (NameScope inner = graph.withNameScope("activation")) {
        SDVariable[] halves = graph.split(gateUp, 2, 1);
        activation = graph.nn().swish(halves[0]).mul("out", halves[1]);
      }
      SDVariable projected =
          project("down", activation, weight(inLayer(layer, GraphNames.DOWN_WEIGHT)));
      return rows.add("residual", projected);
    }
  }

  /** RMSNorm: {@code x / sqrt(mean(x^2) + epsilon) * gain}. */
  private SDVariable norm(String name, SDVariable rows, SDVariable gain) {
    try (NameScope scope = graph.withNameScope(name)) {
      SDVariable meanSquare = graph.squaredNorm(rows, true, 1).mul(meanFactor);
      SDVariable scale = graph.math().rsqrt(meanSquare.add(epsilon));
      return rows.mul(scale).mul("out", gain);
    }
  }

  private SDVariable project(String name, SDVariable rows, SDVariable weight) {
    try (NameScope scope = graph.withNameScope(name)) {
      return graph.mmul("out", rows, weight);
    }
  }

  /**
   * Splits the joint projection into heads and turns queries and keys: {@code x * cos + turned(x) *
   * sin}, where {@code turned} takes a pair {@code (a, b)} to {@code (-b, a)}.
   *
   * @return queries {@code [rows, heads, headDim]}, keys and values {@code [rows, kvHeads,
   *     headDim]}
   */
  private SDVariable[] rotated(SDVariable qkv) {
    int headDim = config.headDim();
    try (NameScope scope = graph.withNameScope("rotary")) {
      SDVariable heads = graph.reshape(qkv, -1, config.heads() + 2 * config.kvHeads(), headDim);
      SDVariable[] split =
          graph.splitV(new String[] {"unrotated", "values"}, heads, rotatedAndValueHeads, 2, 1);
      SDVariable vectors = graph.reshape(split[0], -1, headDim);
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
