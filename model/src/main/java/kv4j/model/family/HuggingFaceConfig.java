package kv4j.model.family;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.TensorSource;

/**
 * A model's config by the fields of Hugging Face's {@code config.json}; what a file leaves out is
 * as that model's class in Transformers has it.
 */
final class HuggingFaceConfig {
  private static final int WINDOW = 4096;
  private static final int WINDOW_LAYERS = 28;
  private static final String QUANTIZATION = "quantization_config";
  private static final String SLIDING = "sliding_attention";

  private final TensorSource source;
  private final Fields fields;
  private final String modelType;
  private final LoadOptions options;

  private HuggingFaceConfig(TensorSource source, LoadOptions options) {
    this.source = source;
    fields = new Fields(source.origin(), source.metadata(), "");
    modelType = Family.modelType(source);
    this.options = options;
  }

  /**
   * Checks all that the file says of its model.
   *
   * @return keys that are not known
   * @throws ModelFileException if something is said that is not supported
   */
  static List<String> check(TensorSource source) {
    return new HuggingFaceConfig(source, LoadOptions.ALL).check();
  }

  private List<String> check() {
    if (fields.values().get(QUANTIZATION) instanceof Map<?, ?> how && !how.isEmpty()) {
      Object method = how.get("quant_method");
      throw new ModelFileException(
          fields.origin(),
          "its weights are quantized ("
              + QUANTIZATION
              + (method instanceof String name ? ": " + ModelFileException.printable(name) : "")
              + "), which is supported in GGUF files only");
    }
    List<String> unknown = new ArrayList<>(ConfigKeys.check(fields, ConfigKeys.CONFIG, modelType));
    if (!modelType.equals("gpt2")) {
      unknown.addAll(ConfigKeys.check(rope(), ConfigKeys.ROPE, modelType));
    }
    return unknown;
  }

  static TransformerConfig read(TensorSource source, Family family, LoadOptions options) {
    HuggingFaceConfig config = new HuggingFaceConfig(source, options);
    return family == Family.GPT2 ? config.gpt2() : config.llamaLike(family);
  }

  private TransformerConfig llamaLike(Family family) {
    int dim = fields.size("hidden_size");
    int heads = fields.size("num_attention_heads");
    int layers = fields.size("num_hidden_layers");
    int headDim = fields.size("head_dim", defaultHeadDim(family, dim, heads));
    int context = options.context(fields.size("max_position_embeddings"));
    int window = window(layers);
    if (window > 0) {
      options.requireWindow(source, window, context);
    }
    return new TransformerConfig(
        layers,
        dim,
        heads,
        kvHeads(heads),
        headDim,
        fields.size("intermediate_size"),
        fields.size("vocab_size"),
        context,
        fields.number("rms_norm_eps", 1e-6f),
        rotary(family, headDim),
        family.block(),
        tied(family, false));
  }

  private static int defaultHeadDim(Family family, int dim, int heads) {
    return family == Family.QWEN3 ? 128 : Math.max(1, dim / heads);
  }

  /**
   * Key/value heads: as many as query heads where the file says null; the default of the model's
   * class in Transformers where it says nothing.
   */
  private int kvHeads(int heads) {
    String key = "num_key_value_heads";
    if (fields.values().containsKey(key)) {
      return fields.size(key, heads);
    }
    return switch (modelType) {
      case "mistral" -> 8;
      case "qwen2", "qwen3" -> 32;
      default -> heads;
    };
  }

  private boolean tied(Family family, boolean otherwise) {
    String embedding = TensorNames.of(family, source).embedding();
    return fields.flag("tie_word_embeddings", otherwise)
        && OutputHead.isTied(source, embedding, TensorNames.LM_HEAD);
  }

  /** Tokens that attention is limited to in some layer, or 0. */
  private int window(int layers) {
    List<?> types = layerTypes(layers);
    boolean absent = !fields.values().containsKey("sliding_window");
    boolean used =
        switch (modelType) {
          case "mistral" -> absent || fields.has("sliding_window"); // in all layers
          case "llama" ->
              types.contains(SLIDING)
                  || fields.has("sliding_window") && fields.flag("use_sliding_window", true);
          default ->
              types.isEmpty()
                  ? fields.flag("use_sliding_window", false)
                      && fields.number("max_window_layers", WINDOW_LAYERS) < layers
                  : types.contains(SLIDING);
        };
    return used ? fields.size("sliding_window", WINDOW) : 0;
  }

  private List<?> layerTypes(int layers) {
    Object types = fields.values().get("layer_types");
    if (types == null) {
      return List.of();
    }
    if (!(types instanceof List<?> list) || list.size() != layers) {
      throw new ModelFileException(
          fields.origin(), "layer_types must be a list of " + layers + ", one for each layer");
    }
    for (Object type : list) {
      if (!SLIDING.equals(type) && !"full_attention".equals(type)) {
        throw new ModelFileException(
            fields.origin(),
            "layer_types are supported as full_attention and "
                + SLIDING
                + " only"
                + Fields.shown(type));
      }
    }
    return list;
  }

  /** In Transformers the older name counts if both are there, and the other is not looked at. */
  private Fields rope() {
    Fields scaling = fields.object("rope_scaling");
    return scaling.values().isEmpty() ? fields.object("rope_parameters") : scaling;
  }

  private Positions rotary(Family family, int headDim) {
    Fields rope = rope();
    float theta = rope.number("rope_theta", fields.number("rope_theta", 10_000));
    String type = rope.text("rope_type", rope.text("type", "default"));
    Positions.Scaling scaling =
        switch (type) {
          case "default" -> Positions.Scaling.NONE;
          case "linear" -> new Positions.Linear(rope.number("factor"));
          case "llama3" ->
              Positions.llama3(
                  theta,
                  headDim,
                  rope.number("factor"),
                  rope.number("low_freq_factor"),
                  rope.number("high_freq_factor"),
                  originalContext(rope));
          default ->
              throw new ModelFileException(
                  fields.origin(),
                  "its rope scaling is not supported"
                      + Fields.shown(type)
                      + "; supported are default, linear and llama3");
        };
    return new Positions.Rotary(theta, family.pairing(), scaling);
  }

  private int originalContext(Fields rope) {
    String key = "original_max_position_embeddings";
    int context = fields.size("max_position_embeddings");
    return fields.size(key, rope.size(key, context));
  }

  private TransformerConfig gpt2() {
    int dim = size("n_embd", "hidden_size");
    int heads = size("n_head", "num_attention_heads");
    if (dim % heads != 0) {
      throw new ModelFileException(
          fields.origin(), "n_embd " + dim + " is not a multiple of n_head " + heads);
    }
    return new TransformerConfig(
        size("n_layer", "num_hidden_layers"),
        dim,
        heads,
        heads,
        dim / heads,
        fields.size("n_inner", (int) Math.min(4L * dim, Integer.MAX_VALUE)),
        fields.size("vocab_size"),
        options.context(size("n_positions", "max_position_embeddings")),
        fields.number("layer_norm_epsilon", 1e-5f),
        new Positions.Learned(),
        Family.GPT2.block(),
        tied(Family.GPT2, true));
  }

  /** A size that has two names. */
  private int size(String name, String otherName) {
    if (!fields.has(otherName)) {
      return fields.size(name);
    }
    int size = fields.size(otherName);
    if (fields.size(name, size) != size) {
      throw new ModelFileException(
          fields.origin(),
          name + " is " + fields.size(name) + ", but " + otherName + ", its other name, " + size);
    }
    return size;
  }
}
