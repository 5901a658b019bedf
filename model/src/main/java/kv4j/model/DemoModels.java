package kv4j.model;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Untrained models with random weights. */
public final class DemoModels {
  private static final double EMBEDDING = 1;
  private static final double ATTENTION_GAIN = 4;
  private static final double FFN_GAIN = 0.5;
  private static final double PROJECTION_GAIN = 1;
  private static final double LOGIT_DEVIATION = 3;

  private DemoModels() {}

  /** A model of a preset's shape; the same seed gives the same weights everywhere. */
  public static Model create(ModelPreset preset, long seed) {
    TransformerWeights weights = randomWeights(preset.config(), seed);
    return new Model(
        preset.label(),
        preset.config(),
        TransformerGraph.build(weights),
        new ByteTokenizer(),
        Fingerprints.of(weights, "bytes"));
  }

  /** Random weights for any shape; the same seed gives the same weights everywhere. */
  public static TransformerWeights randomWeights(TransformerConfig config, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Map<String, INDArray> arrays = new LinkedHashMap<>();
    TransformerWeights.shapes(config)
        .forEach((name, shape) -> arrays.put(name, randomArray(config, name, shape, random)));
    return new TransformerWeights(config, arrays);
  }

  private static INDArray randomArray(
      TransformerConfig config, String name, long[] shape, SplittableRandom random) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, Math::multiplyExact)];
    if (shape.length == 1) {
      Arrays.fill(values, 1);
    } else {
      fillUniform(values, deviation(config, name, shape[0]), random);
    }
    return Nd4j.create(values, shape, 'c');
  }

  private static double deviation(TransformerConfig config, String name, long inputs) {
    double unit = 1 / Math.sqrt(inputs);
    if (name.equals(GraphNames.TOKEN_EMBEDDING)) {
      return config.tiedOutput() ? LOGIT_DEVIATION / Math.sqrt(config.dim()) : EMBEDDING;
    }
    if (name.endsWith(GraphNames.QKV_WEIGHT)) {
      return unit * PROJECTION_GAIN;
    }
    if (name.endsWith(GraphNames.ATTENTION_OUTPUT_WEIGHT)) {
      return unit * ATTENTION_GAIN;
    }
    if (name.endsWith(GraphNames.DOWN_WEIGHT)) {
      return unit * FFN_GAIN;
    }
    return name.equals(GraphNames.OUTPUT_WEIGHT) ? unit * LOGIT_DEVIATION : unit;
  }

  /**
   * Uniform numbers of mean 0; cheap, and as good as Gaussian ones once a product sums hundreds.
   */
  private static void fillUniform(float[] values, double deviation, SplittableRandom random) {
    float scale = (float) (deviation * Math.sqrt(3) / (1L << 31));
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextInt() * scale;
    }
  }
}
