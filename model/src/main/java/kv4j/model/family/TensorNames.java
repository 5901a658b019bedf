package kv4j.model.family;

import java.util.List;
import kv4j.model.GraphNames;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.format.TensorSource;

/**
 * What a format calls the tensors of which a family's weights are made.
 *
 * @param huggingFace Hugging Face's names; else GGUF's
 * @param prefix of all names but the output head's
 */
record TensorNames(Family family, boolean huggingFace, String prefix) {
  /** The output head, which has no prefix. */
  static final String LM_HEAD = "lm_head.weight";

  static final String LLAMA_PREFIX = "model.";

  private static final String GPT2_PREFIX = "transformer.";

  static TensorNames gguf(Family family) {
    return new TensorNames(family, false, "");
  }

  /** Hugging Face's tensors have a prefix, but for those of a model without an output head. */
  static TensorNames of(Family family, TensorSource source) {
    if (!Family.hasHuggingFaceNames(source)) {
      return gguf(family);
    }
    String prefix = family == Family.GPT2 ? GPT2_PREFIX : LLAMA_PREFIX;
    String layers = layers(family);
    boolean prefixed = source.tensorNames().stream().noneMatch(name -> name.startsWith(layers));
    return new TensorNames(family, true, prefixed ? prefix : "");
  }

  private static String layers(Family family) {
    return family == Family.GPT2 ? "h." : "layers.";
  }

  /** Whether projections are stored as {@code [out, in]}; GPT-2's own are {@code [in, out]}. */
  boolean outputsFirst() {
    return !(huggingFace && family == Family.GPT2);
  }

  /** Which elements of a head the stored queries and keys turn together. */
  RopePairing pairing() {
    return huggingFace ? RopePairing.SPLIT : family.pairing();
  }

  /** The token embedding. */
  String embedding() {
    return of(GraphNames.TOKEN_EMBEDDING).get(0);
  }

  /** Whether a tensor that no weight is made of may be left out. */
  boolean canIgnore(String tensor) {
    return huggingFace
        ? tensor.endsWith("rotary_emb.inv_freq")
            || tensor.matches(".*\\.attn\\.(bias|masked_bias)") && family == Family.GPT2
            || tensor.equals(LM_HEAD)
        : tensor.equals(GgufConfig.ROPE_FACTORS) && family == Family.LLAMA
            || tensor.equals(GgufConfig.OUTPUT);
  }

  /**
   * The tensors of which a weight is made, side by side.
   *
   * @param weight name of a {@link GraphNames} weight
   */
  List<String> of(String weight) {
    String scope = GraphNames.scope(weight);
    String kind = weight.endsWith("/bias") ? ".bias" : ".weight";
    if (!scope.startsWith("layer_")) {
      String name = outside(weight, kind);
      return List.of(name.equals(LM_HEAD) ? name : prefix + name);
    }
    int slash = scope.indexOf('/');
    String layer = scope.substring("layer_".length(), slash);
    String inLayer = scope.substring(slash + 1);
    List<String> names =
        !huggingFace ? gguf(inLayer) : family == Family.GPT2 ? gpt2(inLayer) : llama(inLayer);
    String layers = huggingFace ? layers(family) : "blk.";
    return names.stream().map(name -> prefix + layers + layer + "." + name + kind).toList();
  }

  private String outside(String weight, String kind) {
    boolean gpt2 = family == Family.GPT2;
    return switch (weight) {
      case GraphNames.TOKEN_EMBEDDING ->
          !huggingFace ? "token_embd.weight" : gpt2 ? "wte.weight" : "embed_tokens.weight";
      case GraphNames.POSITION_EMBEDDING -> huggingFace ? "wpe.weight" : "position_embd.weight";
      case GraphNames.OUTPUT_WEIGHT -> huggingFace ? LM_HEAD : "output.weight";
      default -> (!huggingFace ? "output_norm" : gpt2 ? "ln_f" : "norm") + kind;
    };
  }

  private List<String> gguf(String scope) {
    return switch (scope) {
      case "attention/norm" -> List.of("attn_norm");
      case "attention/qkv" ->
          family == Family.GPT2 ? List.of("attn_qkv") : List.of("attn_q", "attn_k", "attn_v");
      case "attention/head_norm" -> List.of("attn_q_norm", "attn_k_norm");
      case "attention/output" -> List.of("attn_output");
      case "ffn/norm" -> List.of("ffn_norm");
      case "ffn/gate_up" -> List.of("ffn_gate", "ffn_up");
      case "ffn/up" -> List.of("ffn_up");
      case "ffn/down" -> List.of("ffn_down");
      default -> throw unknown(scope);
    };
  }

  private static List<String> llama(String scope) {
    return switch (scope) {
      case "attention/norm" -> List.of("input_layernorm");
      case "attention/qkv" -> List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj");
      case "attention/head_norm" -> List.of("self_attn.q_norm", "self_attn.k_norm");
      case "attention/output" -> List.of("self_attn.o_proj");
      case "ffn/norm" -> List.of("post_attention_layernorm");
      case "ffn/gate_up" -> List.of("mlp.gate_proj", "mlp.up_proj");
      case "ffn/down" -> List.of("mlp.down_proj");
      default -> throw unknown(scope);
    };
  }

  private static List<String> gpt2(String scope) {
    return switch (scope) {
      case "attention/norm" -> List.of("ln_1");
      case "attention/qkv" -> List.of("attn.c_attn");
      case "attention/output" -> List.of("attn.c_proj");
      case "ffn/norm" -> List.of("ln_2");
      case "ffn/up" -> List.of("mlp.c_fc");
      case "ffn/down" -> List.of("mlp.c_proj");
      default -> throw unknown(scope);
    };
  }

  private static IllegalStateException unknown(String scope) {
    return new IllegalStateException("no family has weights in " + scope);
  }
}
