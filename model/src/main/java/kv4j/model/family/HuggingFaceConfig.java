package kv4j.model.family;

import java.util.List;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.TensorSource;

/**
 * A model's config by the fields of Hugging Face's {@code config.json}; what a file leaves out is
 * as that model's class in Transformers has it.
 */
final class HuggingFaceConfig {
  private static final int MISTRAL_WINDOW = 4096;

  private HuggingFaceConfig() {}

  static TransformerConfig read(TensorSource source, Family family, LoadOptions options) {
    Fields fields = new Fields(source.origin(), source.metadata(), "");
    return family == Family.GPT2
        ? gpt2(fields, options)
        : llamaLike(source, fields, family, options);
  }

  private static TransformerConfig llamaLike(
      TensorSource source, Fields fields, Family family, LoadOptions options) {
    int dim = fields.size("hidden_size");
    int heads = fields.size("num_attention_heads");
    int headDim = fields.size("head_dim", defaultHeadDim(family, dim, heads));
    int context = options.context(fields.size("max_position_embeddings"));
    fields.requireIfThere("hidden_act", "silu");
    fields.requireIfThere("mlp_bias", false);
    fields.requireIfThere("attention_bias", family == Family.QWEN2);
    int window = window(fields);
    if (window > 0) {
      options.requireWindow(source, window, context);
    }
    return new TransformerConfig(
        fields.size("num_hidden_layers"),
        dim,
        heads,
        fields.size("num_key_value_heads", heads),
        headDim,
        fields.size("intermediate_size"),
        fields.size("vocab_size"),
        context,
        fields.number("rms_norm_eps", 1e-6f),
        rotary(fields, family, headDim),
        family.block(),
        fields.flag("tie_word_embeddings", false));
  }

  private static int defaultHeadDim(Family family, int dim, int heads) {
    return family == Family.QWEN3 ? 128 : Math.max(1, dim / heads);
  }

  /** Tokens that attention is limited to, or 0. */
  private static int window(Fields fields) {
    if ("mistral".equals(fields.text("model_type", null))) {
      boolean absent = !fields.values().containsKey("sliding_window");
      return absent ? MISTRAL_WINDOW : fields.size("sliding_window", 0);
    }
    boolean used =
        fields.flag("use_sliding_window", false)
            || fields.values().get("layer_types") instanceof List<?> types
                && types.contains("sliding_attention");
    return used ? fields.size("sliding_window", MISTRAL_WINDOW) : 0;
  }

  private static Positions rotary(Fields fields, Family family, int headDim) {
    Fields parameters = fields.object("rope_parameters");
    Fields rope = parameters.values().isEmpty() ? fields.object("rope_scaling") : parameters;
    float theta = rope.number("rope_theta", fields.number("rope_theta", 10_000));
    String type = rope.text("rope_type", rope.text("type", "default"));
    if (fields.number("partial_rotary_factor", 1) != 1) {
      throw new ModelFileException(
          fields.origin(), "positions that turn a part of each head are not supported");
    }
    Positions.Scaling scaling =
        switch (type) {
          case "default" -> Positions.Scaling.NONE;
          case "linear" -> new Positions.Linear(rope.number("factor", 1));
          case "llama3" ->
              Positions.llama3(
                  theta,
                  headDim,
                  rope.number("factor", 0),
                  rope.number("low_freq_factor", 0),
                  rope.number("high_freq_factor", 0),
                  rope.size("original_max_position_embeddings"));
          default ->
              throw new ModelFileException(
                  fields.origin(),
                  "its rope scaling is not supported; supported are default, linear and llama3");
        };
    return new Positions.Rotary(theta, family.pairing(), scaling);
  }

  private static TransformerConfig gpt2(Fields fields, LoadOptions options) {
    int dim = fields.size("n_embd");
    int heads = fields.size("n_head");
    if (dim % heads != 0) {
      throw new ModelFileException(
          fields.origin(), "n_embd " + dim + " is not a multiple of n_head " + heads);
    }
    fields.requireIfThere("activation_function", "gelu_new");
    fields.requireIfThere("scale_attn_weights", true);
    fields.requireIfThere("scale_attn_by_inverse_layer_idx", false);
    return new TransformerConfig(
        fields.size("n_layer"),
        dim,
        heads,
        heads,
        dim / heads,
        fields.size("n_inner", (int) Math.min(4L * dim, Integer.MAX_VALUE)),
        fields.size("vocab_size"),
        options.context(fields.size("n_positions")),
        fields.number("layer_norm_epsilon", 1e-5f),
        new Positions.Learned(),
        Family.GPT2.block(),
        fields.flag("tie_word_embeddings", true));
  }
}
