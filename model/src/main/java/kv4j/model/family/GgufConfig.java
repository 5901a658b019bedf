package kv4j.model.family;

import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import kv4j.model.Positions;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Norm;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.TensorSource;

/** A model's config by the keys of the GGUF specification, read and written. */
final class GgufConfig {
  /** Factors of the rotary frequencies, which GGUF keeps as a tensor. */
  static final String ROPE_FACTORS = "rope_freqs.weight";

  static final String EMBEDDING = "token_embd.weight";
  static final String OUTPUT = "output.weight";

  private static final String TOKENS = "tokenizer.ggml.tokens";

  private GgufConfig() {}

  private static Fields fields(TensorSource source, Family family) {
    return new Fields(source.origin(), source.metadata(), family.architecture() + ".");
  }

  /**
   * Checks all that the file says of its model.
   *
   * @return keys that are not known
   * @throws ModelFileException if something is said that is not supported
   */
  static List<String> check(TensorSource source, Family family) {
    return ConfigKeys.check(fields(source, family), ConfigKeys.GGUF, family.architecture());
  }

  static TransformerConfig read(TensorSource source, Family family, LoadOptions options) {
    Fields fields = fields(source, family);
    int dim = fields.size("embedding_length");
    int heads = fields.size("attention.head_count");
    int headDim = fields.size("attention.key_length", Math.max(1, dim / heads));
    fields.requireIfThere("attention.value_length", (long) headDim);
    if (family.isRotary()) {
      fields.requireIfThere("rope.dimension_count", (long) headDim);
    }
    boolean rms = family.block().norm() == Norm.RMS;
    int context = options.context(fields.size("context_length"));
    if (fields.number("attention.sliding_window", 0) > 0) {
      options.requireWindow(source, fields.size("attention.sliding_window"), context);
    }
    return new TransformerConfig(
        fields.size("block_count"),
        dim,
        heads,
        fields.size("attention.head_count_kv", heads),
        headDim,
        fields.size("feed_forward_length"),
        vocabulary(source, fields),
        context,
        fields.number("attention.layer_norm" + (rms ? "_rms" : "") + "_epsilon"),
        family.isRotary() ? rotary(source, fields, family, headDim) : new Positions.Learned(),
        family.block(),
        OutputHead.isTied(source, EMBEDDING, OUTPUT));
  }

  private static int vocabulary(TensorSource source, Fields fields) {
    long[] shape = source.tensorNames().contains(EMBEDDING) ? source.shape(EMBEDDING) : new long[0];
    int rows =
        shape.length == 2 && shape[0] <= Integer.MAX_VALUE
            ? (int) shape[0]
            : fields.size("vocab_size");
    if (source.metadata().get(TOKENS) instanceof List<?> tokens && tokens.size() != rows) {
      throw new ModelFileException(
          source.origin(),
          "has " + tokens.size() + " tokens, but embeddings of " + rows + " tokens");
    }
    return rows;
  }

  private static Positions rotary(TensorSource source, Fields fields, Family family, int headDim) {
    String type = fields.text("rope.scaling.type", "linear");
    float factor = fields.number("rope.scaling.factor", fields.number("rope.scale_linear", 1));
    if (!type.equals("linear") && !type.equals("none")) {
      throw new ModelFileException(
          source.origin(),
          fields.prefix()
              + "rope.scaling.type is supported as none and linear only"
              + Fields.shown(type));
    }
    Positions.Scaling scaling =
        new Positions.Linear(type.equals("none") || factor == 0 ? 1 : factor);
    if (family == Family.LLAMA && source.tensorNames().contains(ROPE_FACTORS)) {
      scaling = perPair(source, headDim, scaling);
    }
    return new Positions.Rotary(fields.number("rope.freq_base", 10_000), family.pairing(), scaling);
  }

  private static Positions.Scaling perPair(
      TensorSource source, int headDim, Positions.Scaling all) {
    source.require(ROPE_FACTORS, headDim / 2);
    float[] factors = new float[headDim / 2];
    source.read(ROPE_FACTORS, FloatBuffer.wrap(factors));
    return new Positions.PerPair(
        IntStream.range(0, factors.length).mapToObj(i -> factors[i] * all.divisor(i)).toList());
  }

  static boolean isRotary(TransformerConfig config) {
    return config.positions() instanceof Positions.Rotary;
  }

  /** The metadata that {@link #read} reads, and those that llama.cpp asks for besides. */
  static Map<String, Object> metadata(String name, TransformerConfig config, Family family) {
    String prefix = family.architecture() + ".";
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("general.architecture", family.architecture());
    metadata.put("general.name", name);
    metadata.put(prefix + "context_length", config.context());
    metadata.put(prefix + "embedding_length", config.dim());
    metadata.put(prefix + "block_count", config.layers());
    metadata.put(prefix + "feed_forward_length", config.ffnDim());
    metadata.put(prefix + "attention.head_count", config.heads());
    metadata.put(prefix + "attention.head_count_kv", config.kvHeads());
    metadata.put(prefix + "attention.key_length", config.headDim());
    metadata.put(prefix + "attention.value_length", config.headDim());
    boolean rms = family.block().norm() == Norm.RMS;
    metadata.put(
        prefix + "attention.layer_norm" + (rms ? "_rms" : "") + "_epsilon", config.normEpsilon());
    metadata.put(prefix + "vocab_size", config.vocabulary());
    if (config.positions() instanceof Positions.Rotary rotary) {
      metadata.put(prefix + "rope.dimension_count", config.headDim());
      metadata.put(prefix + "rope.freq_base", rotary.theta());
      if (rotary.scaling() instanceof Positions.Linear linear && linear.factor() != 1) {
        metadata.put(prefix + "rope.scaling.type", "linear");
        metadata.put(prefix + "rope.scaling.factor", linear.factor());
      }
    }
    return metadata;
  }

  /** Factors of the rotary frequencies that need a tensor; empty if none do. */
  static List<Float> ropeFactors(TransformerConfig config) {
    return config.positions() instanceof Positions.Rotary rotary
            && rotary.scaling() instanceof Positions.PerPair perPair
        ? perPair.divisors()
        : List.of();
  }
}
