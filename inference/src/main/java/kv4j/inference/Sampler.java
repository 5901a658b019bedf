package kv4j.inference;

import java.util.SplittableRandom;

/** Picks tokens from logits as a {@link Sampling} says. Not thread-safe: one per request. */
public final class Sampler {
  private final double temperature;
  private final SplittableRandom random;
  private double[] weights = {};

  public Sampler(Sampling sampling) {
    temperature = sampling.temperature();
    random = new SplittableRandom(sampling.seed());
  }

  /** Picks a token id; the lowest one where several are equally likely and decoding is greedy. */
  public int pick(float[] logits) {
    int likeliest = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[likeliest]) {
        likeliest = i;
      }
    }
    if (temperature == 0) {
      return likeliest;
    }
    if (weights.length != logits.length) {
      weights = new double[logits.length];
    }
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      weights[i] = Math.exp((logits[i] - logits[likeliest]) / temperature);
      sum += weights[i];
    }
    double left = random.nextDouble() * sum;
    for (int i = 0; i < logits.length; i++) {
      left -= weights[i];
      if (left < 0) {
        return i;
      }
    }
    return likeliest;
  }
}
