package kv4j.model;

import java.util.function.DoubleUnaryOperator;
import kv4j.model.TransformerConfig.RopePairing;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Constants of rotary positions (Su et al. 2021): pair {@code i} of a head at position {@code p}
 * turns by {@code p * theta^(-2i / headDim)}, divided by the scaling's factor.
 */
final class RotaryTables {
  private final TransformerConfig config;
  private final Positions.Rotary rotary;
  private final int pairs;

  RotaryTables(TransformerConfig config, Positions.Rotary rotary) {
    this.config = config;
    this.rotary = rotary;
    pairs = config.headDim() / 2;
  }

  /** {@code [context, headDim / 2]}. */
  INDArray cos() {
    return table(Math::cos);
  }

  /** {@code [context, headDim / 2]}. */
  INDArray sin() {
    return table(Math::sin);
  }

  private INDArray table(DoubleUnaryOperator function) {
    float[] values = new float[config.context() * pairs];
    for (int pair = 0; pair < pairs; pair++) {
      double frequency =
          Math.pow(rotary.theta(), -2.0 * pair / config.headDim()) / rotary.scaling().divisor(pair);
      for (int position = 0; position < config.context(); position++) {
        values[position * pairs + pair] = (float) function.applyAsDouble(position * frequency);
      }
    }
    return Nd4j.create(values, new long[] {config.context(), pairs}, 'c');
  }

  /**
   * {@code [headDim / 2, heads * headDim]}: a product with it repeats each pair's number for both
   * elements of the pair, in every head.
   */
  INDArray spread(int heads) {
    int width = heads * config.headDim();
    float[] values = new float[pairs * width];
    for (int head = 0; head < heads; head++) {
      for (int pair = 0; pair < pairs; pair++) {
        int at = pair * width + head * config.headDim();
        values[at + first(pair)] = 1;
        values[at + second(pair)] = 1;
      }
    }
    return Nd4j.create(values, new long[] {pairs, width}, 'c');
  }

  /**
   * {@code [headDim, headDim]}: a product with it takes each pair {@code (a, b)} to {@code (-b,
   * a)}.
   */
  INDArray quarterTurn() {
    float[] values = new float[config.headDim() * config.headDim()];
    for (int pair = 0; pair < pairs; pair++) {
      values[second(pair) * config.headDim() + first(pair)] = -1;
      values[first(pair) * config.headDim() + second(pair)] = 1;
    }
    return Nd4j.create(values, new long[] {config.headDim(), config.headDim()}, 'c');
  }

  private int first(int pair) {
    return rotary.pairing() == RopePairing.ADJACENT ? 2 * pair : pair;
  }

  private int second(int pair) {
    return rotary.pairing() == RopePairing.ADJACENT ? 2 * pair + 1 : pair + pairs;
  }
}
