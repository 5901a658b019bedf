package kv4j.model;

/**
 * Names of the variables and scopes of a graph that {@link TransformerGraph} builds. What is below
 * {@code layer_i/} is named by a constant and joined with {@link #inLayer}.
 *
 * <p>An op belongs to the scope that its result's name has before the last {@code /}.
 */
public final class GraphNames {
  /** Placeholder, INT32 {@code [rows]}: token ids. */
  public static final String TOKENS = "tokens";

  /** Placeholder, INT32 {@code [rows]}: position of each row in its sequence. */
  public static final String POSITIONS = "positions";

  /** Result, FLOAT {@code [rows, vocabulary]}. */
  public static final String LOGITS = "logits";

  /** Weight {@code [vocabulary, dim]}. */
  public static final String TOKEN_EMBEDDING = "token_embedding";

  /** Weight {@code [context, dim]}, only where positions are learned. */
  public static final String POSITION_EMBEDDING = "position_embedding";

  /** Weight {@code [dim, vocabulary]}, only if the output is not tied. */
  public static final String OUTPUT_WEIGHT = "output/weight";

  /** Weight {@code [dim]}. */
  public static final String FINAL_NORM_GAIN = "final_norm/gain";

  /** Weight {@code [dim]}, of a LayerNorm. */
  public static final String FINAL_NORM_BIAS = "final_norm/bias";

  /** Constant {@code [context, headDim / 2]}. */
  public static final String COS_TABLE = "rotary/cos_table";

  /** Constant {@code [context, headDim / 2]}. */
  public static final String SIN_TABLE = "rotary/sin_table";

  /** The tokens' embeddings, with those of their positions if learned, {@code [rows, dim]}. */
  public static final String EMBEDDING = "embedding/out";

  /** Cosines of the rows' positions, {@code [rows, headDim / 2]}. */
  public static final String COS = "rotary/cos";

  /** Sines of the rows' positions, {@code [rows, headDim / 2]}. */
  public static final String SIN = "rotary/sin";

  /** {@code [rows, rows]}, added to scores: 0 where a row may attend to another, else -1e9. */
  public static final String CAUSAL_MASK = "causal_mask/out";

  /** Result of the last norm, {@code [rows, dim]}. */
  public static final String FINAL_NORM = "final_norm/out";

  /** Weight {@code [dim]}. */
  public static final String ATTENTION_NORM_GAIN = "attention/norm/gain";

  /** Weight {@code [dim]}, of a LayerNorm. */
  public static final String ATTENTION_NORM_BIAS = "attention/norm/bias";

  /** Weight {@code [dim, (heads + 2 kvHeads) * headDim]}: query heads, key heads, value heads. */
  public static final String QKV_WEIGHT = "attention/qkv/weight";

  /** Weight {@code [(heads + 2 kvHeads) * headDim]}, only with biases. */
  public static final String QKV_BIAS = "attention/qkv/bias";

  /** Weight {@code [heads + kvHeads, headDim]}, of the norm of each query and key head. */
  public static final String HEAD_NORM_GAIN = "attention/head_norm/gain";

  /** Weight {@code [heads * headDim, dim]}. */
  public static final String ATTENTION_OUTPUT_WEIGHT = "attention/output/weight";

  /** Weight {@code [dim]}, only with biases. */
  public static final String ATTENTION_OUTPUT_BIAS = "attention/output/bias";

  /** Weight {@code [dim]}. */
  public static final String FFN_NORM_GAIN = "ffn/norm/gain";

  /** Weight {@code [dim]}, of a LayerNorm. */
  public static final String FFN_NORM_BIAS = "ffn/norm/bias";

  /** Weight {@code [dim, 2 ffnDim]}: gate columns, then up columns. */
  public static final String GATE_UP_WEIGHT = "ffn/gate_up/weight";

  /** Weight {@code [2 ffnDim]}, only with biases. */
  public static final String GATE_UP_BIAS = "ffn/gate_up/bias";

  /** Weight {@code [dim, ffnDim]}, in place of {@link #GATE_UP_WEIGHT} where there is no gate. */
  public static final String UP_WEIGHT = "ffn/up/weight";

  /** Weight {@code [ffnDim]}, only with biases. */
  public static final String UP_BIAS = "ffn/up/bias";

  /** Weight {@code [ffnDim, dim]}. */
  public static final String DOWN_WEIGHT = "ffn/down/weight";

  /** Weight {@code [dim]}, only with biases. */
  public static final String DOWN_BIAS = "ffn/down/bias";

  /** Result of the attention norm, {@code [rows, dim]}. */
  public static final String ATTENTION_NORM = "attention/norm/out";

  /** Joint projection, {@code [rows, (heads + 2 kvHeads) * headDim]}. */
  public static final String QKV = "attention/qkv/out";

  /** Rotated queries, {@code [rows, heads, headDim]}. */
  public static final String QUERIES = "attention/rotary/queries";

  /** Rotated keys of the rows, {@code [rows, kvHeads, headDim]}. */
  public static final String KEYS = "attention/rotary/keys";

  /** Values of the rows, {@code [rows, kvHeads, headDim]}. */
  public static final String VALUES = "attention/rotary/values";

  /** Keys attended to, an identity of {@link #KEYS}: where a cache plugs in. */
  public static final String CORE_KEYS = "attention/core/keys";

  /** Values attended to, an identity of {@link #VALUES}: where a cache plugs in. */
  public static final String CORE_VALUES = "attention/core/values";

  /** Result of attention, {@code [rows, heads * headDim]}. */
  public static final String CORE = "attention/core/out";

  /** Attention projected back, {@code [rows, dim]}. */
  public static final String ATTENTION_OUTPUT = "attention/output/out";

  /** Residual stream after attention, {@code [rows, dim]}. */
  public static final String ATTENTION_RESIDUAL = "attention/residual";

  /** Result of the feed-forward norm, {@code [rows, dim]}. */
  public static final String FFN_NORM = "ffn/norm/out";

  /** Joint projection, {@code [rows, 2 ffnDim]}. */
  public static final String GATE_UP = "ffn/gate_up/out";

  /** Projection without a gate, {@code [rows, ffnDim]}. */
  public static final String UP = "ffn/up/out";

  /** Result of the activation, {@code [rows, ffnDim]}. */
  public static final String ACTIVATION = "ffn/activation/out";

  /** Feed-forward result projected back, {@code [rows, dim]}. */
  public static final String DOWN = "ffn/down/out";

  /** Residual stream after the layer, {@code [rows, dim]}. */
  public static final String FFN_RESIDUAL = "ffn/residual";

  private GraphNames() {}

  /** {@code layer_<layer>/<name>}, layers counted from 0. */
  public static String inLayer(int layer, String name) {
    return "layer_" + layer + "/" + name;
  }

  /** What comes before the last {@code /} of a name; empty if there is none. */
  public static String scope(String name) {
    return name.substring(0, Math.max(0, name.lastIndexOf('/')));
  }
}
