package kv4j.model;

import java.util.List;
import java.util.stream.IntStream;
import kv4j.model.TransformerConfig.RopePairing;

/** How a transformer knows where in a sequence a token is. */
public sealed interface Positions {

  /** A trained vector for each position, added to the token's embedding (GPT-2). */
  record Learned() implements Positions {}

  /**
   * Queries and keys are turned (Su et al. 2021): pair {@code i} of a head at position {@code p} by
   * {@code p * theta^(-2i / headDim)}, divided as the scaling says.
   *
   * @param theta base of the frequencies
   * @param pairing which elements of a head are turned together
   */
  record Rotary(float theta, RopePairing pairing, Scaling scaling) implements Positions {
    public Rotary {
      if (!(theta > 0) || Float.isInfinite(theta)) {
        throw new IllegalArgumentException("rope theta must be positive, not " + theta);
      }
    }
  }

  /** What rotary frequencies are divided by, so that a model reads further than it once did. */
  sealed interface Scaling {
    Scaling NONE = new Linear(1);

    /** What the frequency of a pair is divided by. */
    float divisor(int pair);
  }

  /** All frequencies alike, as if positions were closer together. */
  record Linear(float factor) implements Scaling {
    public Linear {
      requirePositive(factor);
    }

    @Override
    public float divisor(int pair) {
      return factor;
    }
  }

  /** Each frequency by a factor of its own, one for each pair. */
  record PerPair(List<Float> divisors) implements Scaling {
    public PerPair {
      divisors = List.copyOf(divisors);
      divisors.forEach(Positions::requirePositive);
    }

    @Override
    public float divisor(int pair) {
      return divisors.get(pair);
    }
  }

  /**
   * The scaling of Llama 3.1: waves that are short beside the original context stay as they are,
   * long ones are stretched by a factor, and those between in part.
   *
   * @param lowFrequencyFactor waves longer than {@code originalContext / lowFrequencyFactor} are
   *     long
   * @param highFrequencyFactor waves shorter than {@code originalContext / highFrequencyFactor} are
   *     short; more than {@code lowFrequencyFactor}
   * @param originalContext tokens of a sequence before it was stretched
   */
  static PerPair llama3(
      float theta,
      int headDim,
      float factor,
      float lowFrequencyFactor,
      float highFrequencyFactor,
      int originalContext) {
    if (!(factor > 0 && lowFrequencyFactor > 0 && highFrequencyFactor > lowFrequencyFactor)
        || originalContext < 1) {
      throw new IllegalArgumentException(
          "rope scaling by "
              + factor
              + " from a context of "
              + originalContext
              + " with low and high frequency factors "
              + lowFrequencyFactor
              + " and "
              + highFrequencyFactor
              + " makes no sense");
    }
    return new PerPair(
        IntStream.range(0, headDim / 2)
            .mapToObj(
                pair -> {
                  double wave = 2 * Math.PI * Math.pow(theta, 2.0 * pair / headDim);
                  double share = // of the frequency that stays, from 0 for long waves to 1
                      (originalContext / wave - lowFrequencyFactor)
                          / (highFrequencyFactor - lowFrequencyFactor);
                  double kept = Math.min(1, Math.max(0, share));
                  return (float) (1 / ((1 - kept) / factor + kept));
                })
            .toList());
  }

  private static void requirePositive(float divisor) {
    if (!(divisor > 0) || Float.isInfinite(divisor)) {
      throw new IllegalArgumentException("rope scaling must be positive, not by " + divisor);
    }
  }
}
