package kv4j.model;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import kv4j.model.weight.FloatSource;
import kv4j.model.weight.PanelMatrix;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Untrained models with random weights, so scaled that they behave like trained ones where it
 * matters to a cache.
 *
 * <ul>
 *   <li>What was said early matters late. Scores of {@code qkv} weights {@value #PROJECTION_GAIN}
 *       times the usual {@code 1 / sqrt(dim)} deviate by about 2, so that a head heeds a few tokens
 *       rather than the mean of all, and another token near the beginning changes what is generated
 *       hundreds of tokens later. A cache that returned wrong keys or values would show.
 *   <li>So does what was said last. What attention adds to the residual stream, alike from row to
 *       row, is damped to {@value #ATTENTION_GAIN} and what the feed-forward network adds to
 *       {@value #FFN_GAIN}, each over {@code sqrt(layers)}; else the context drowns the current
 *       token and one token is generated again and again. An output head of its own is needed for
 *       the same reason: a tied one favours the token it was given.
 *   <li>It stays tame. A small error grows about threefold in 32 layers; with {@code qkv} weights
 *       of twice the usual size it grows fiftyfold.
 *   <li>Choices are clear. Logits deviate by about {@value #LOGIT_DEVIATION}, and the two likeliest
 *       tokens are about 1 apart.
 * </ul>
 */
public final class DemoModels {
  private static final double PROJECTION_GAIN = 1.5;
  private static final double ATTENTION_GAIN = 2.26;
  private static final double FFN_GAIN = 2.83;
  private static final double LOGIT_DEVIATION = 3;
  private static final double BIAS_DEVIATION = 0.1;
  private static final double POSITION_DEVIATION = 0.3;

  private DemoModels() {}

  /** A model of a preset's shape; the same seed gives the same weights everywhere. */
  public static Model create(ModelPreset preset, long seed) {
    return create(preset.label(), preset.config(), seed);
  }

  /**
   * A model of any shape, whose tokenizer need not have its vocabulary; the same seed gives the
   * same weights everywhere.
   */
  public static Model create(String name, TransformerConfig config, long seed) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    Map<String, PanelMatrix> panels = new LinkedHashMap<>();
    forEach(
        config,
        seed,
        (weight, shape, numbers) -> {
          if (TransformerWeights.isMultipliedWith(weight)) {
            boolean outputsFirst = TransformerWeights.outputsFirst(weight);
            int inputs = (int) shape[outputsFirst ? 1 : 0];
            int outputs = (int) shape[outputsFirst ? 0 : 1];
            panels.put(weight, PanelMatrix.of(inputs, outputs, outputsFirst, numbers));
          } else {
            arrays.put(weight, array(shape, numbers));
          }
        });
    TransformerWeights weights = new TransformerWeights(config, arrays, panels);
    return Model.of(name, weights, new ByteTokenizer(), "bytes");
  }

  /** Random weights for any shape; the same seed gives the same weights everywhere. */
  public static TransformerWeights randomWeights(TransformerConfig config, long seed) {
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    forEach(config, seed, (name, shape, numbers) -> arrays.put(name, array(shape, numbers)));
    return new TransformerWeights(config, arrays);
  }

  private interface WeightMaker {
    void make(String name, long[] shape, FloatSource numbers);
  }

  private static void forEach(TransformerConfig config, long seed, WeightMaker maker) {
    long used = 0;
    for (Map.Entry<String, long[]> weight : TransformerWeights.shapes(config).entrySet()) {
      String name = weight.getKey();
      long[] shape = weight.getValue();
      if (name.endsWith("/gain")) {
        maker.make(name, shape, (from, to, at, count) -> Arrays.fill(to, at, at + count, 1));
      } else {
        maker.make(name, shape, new Uniform(deviation(config, name, shape[0]), seed, used));
        used += size(shape);
      }
    }
  }

  private static int size(long[] shape) {
    return Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
  }

  private static INDArray array(long[] shape, FloatSource numbers) {
    float[] values = new float[size(shape)];
    numbers.get(0, values, 0, values.length);
    return Nd4j.create(values, shape, 'c');
  }

  private static double deviation(TransformerConfig config, String name, long inputs) {
    double unit = 1 / Math.sqrt(inputs);
    if (name.endsWith("/bias")) {
      return BIAS_DEVIATION;
    }
    if (name.equals(GraphNames.POSITION_EMBEDDING)) {
      return POSITION_DEVIATION;
    }
    if (name.equals(GraphNames.TOKEN_EMBEDDING)) {
      return config.tiedOutput() ? LOGIT_DEVIATION / Math.sqrt(config.dim()) : 1;
    }
    if (name.endsWith(GraphNames.QKV_WEIGHT)) {
      return unit * PROJECTION_GAIN;
    }
    if (name.endsWith(GraphNames.ATTENTION_OUTPUT_WEIGHT)) {
      return unit * ATTENTION_GAIN / Math.sqrt(config.layers());
    }
    if (name.endsWith(GraphNames.DOWN_WEIGHT)) {
      return unit * FFN_GAIN / Math.sqrt(config.layers());
    }
    return name.equals(GraphNames.OUTPUT_WEIGHT) ? unit * LOGIT_DEVIATION : unit;
  }

  /**
   * Uniform numbers of mean 0; cheap, and as good as Gaussian ones once a product sums hundreds.
   * They are those of {@link java.util.SplittableRandom}, whose generator (SplitMix, Steele, Lea
   * and Flood 2014) can tell each by its number alone.
   */
  private static final class Uniform implements FloatSource {
    private static final long GAMMA = 0x9e3779b97f4a7c15L;

    private final float scale;
    private final long begin;

    /**
     * @param skipped how many of the seed's numbers others have used
     */
    Uniform(double deviation, long seed, long skipped) {
      scale = (float) (deviation * Math.sqrt(3) / (1L << 31));
      begin = seed + (skipped + 1) * GAMMA;
    }

    @Override
    public void get(int from, float[] to, int at, int count) {
      long state = begin + from * GAMMA;
      for (int i = 0; i < count; i++, state += GAMMA) {
        long z = (state ^ state >>> 33) * 0x62a9d9ed799705f5L;
        to[at + i] = (int) ((z ^ z >>> 28) * 0xcb24d0a5c88c35b3L >>> 32) * scale;
      }
    }
  }
}
