package kv4j.model.family;

import java.nio.FloatBuffer;
import java.util.Arrays;
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

  private static final int BUFFER = 1 << 18;

  private GgufConfig() {}

  static TransformerConfig read(TensorSource source, Family family, LoadOptions options) {
    Fields fields = new Fields(source.origin(), source.metadata(), family.architecture() + ".");
    int dim = fields.size("embedding_length");
    int heads = fields.size("attention.head_count");
    int headDim = fields.size("attention.key_length", Math.max(1, dim / heads));
    fields.requireIfThere("attention.value_length", (long) headDim);
    fields.requireIfThere("rope.dimension_count", (long) headDim);
    fields.requireIfThere("expert_count", 0L);
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
        fields.number("attention.layer_norm" + (rms ? "_rms" : "") + "_epsilon", 1e-5f),
        family.isRotary() ? rotary(source, fields, family, headDim) : new Positions.Learned(),
        family.block(),
        tied(source));
  }

  /** Whether there is no output head, or one that is only the embedding once more. */
  private static boolean tied(TensorSource source) {
    if (!source.tensorNames().contains(OUTPUT)) {
      return true;
    }
    long[] shape = source.shape(OUTPUT);
    if (shape.length != 2
        || !source.tensorNames().contains(EMBEDDING)
        || !Arrays.equals(shape, source.shape(EMBEDDING))) {
      return false;
    }
    int rowLength = Math.toIntExact(shape[1]);
    int atOnce = Math.max(1, BUFFER / rowLength);
    FloatBuffer output = FloatBuffer.allocate(atOnce * rowLength);
    FloatBuffer embedding = FloatBuffer.allocate(atOnce * rowLength);
    for (long row = 0; row < shape[0]; row += atOnce) {
      int length = (int) Math.min(atOnce, shape[0] - row) * rowLength;
      source.readRows(OUTPUT, row, output.clear().limit(length));
      source.readRows(EMBEDDING, row, embedding.clear().limit(length));
      if (!output.flip().equals(embedding.flip())) {
        return false;
      }
    }
    return true;
  }

  private static int vocabulary(TensorSource source, Fields fields) {
    long[] shape = source.tensorNames().contains(EMBEDDING) ? source.shape(EMBEDDING) : new long[0];
    return shape.length == 2 && shape[0] <= Integer.MAX_VALUE
        ? (int) shape[0]
        : fields.size("vocab_size");
  }

  private static Positions rotary(TensorSource source, Fields fields, Family family, int headDim) {
    String type = fields.text("rope.scaling.type", "linear");
    float factor = fields.number("rope.scaling.factor", fields.number("rope.scale_linear", 1));
    if (!type.equals("linear") && !type.equals("none")) {
      throw new ModelFileException(
          source.origin(), "rope scaling is supported as none and linear only");
    }
    Positions.Scaling scaling =
        new Positions.Linear(type.equals("none") || factor == 0 ? 1 : factor);
    if (source.tensorNames().contains(ROPE_FACTORS)) {
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
