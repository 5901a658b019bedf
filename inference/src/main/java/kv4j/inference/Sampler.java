package kv4j.inference;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Picks tokens from logits as a {@link Sampling} says. Not thread-safe: one per request, whose
 * memory is used again for each token.
 */
public final class Sampler {
  private final Sampling sampling;
  private final SplittableRandom random;
  private final Candidates candidates;
  private final int prompt;
  private float[] penalized = {};
  private double[] weights = {};

  /** For tokens that all count as generated. */
  public Sampler(Sampling sampling) {
    this(sampling, 0);
  }

  /**
   * @param prompt how many of the tokens that come before were not generated
   */
  public Sampler(Sampling sampling, int prompt) {
    this.sampling = sampling;
    this.prompt = prompt;
    random = new SplittableRandom(sampling.seed());
    candidates = new Candidates(sampling);
  }

  /** Picks a token id where nothing came before. */
  public int pick(float[] logits) {
    return pick(logits, new int[0], 0);
  }

  /**
   * Picks a token id; the lowest one where several are equally likely and decoding is greedy.
   *
   * @param logits one for each id of the vocabulary; not modified
   * @param tokens ids that came before
   * @param length how many of them count
   */
  public int pick(float[] logits, int[] tokens, int length) {
    float[] scores = sampling.keepsLogits() ? logits : penalize(logits, tokens, length);
    int likeliest = likeliest(scores);
    if (sampling.temperature() == 0) {
      return likeliest;
    }
    double max = scores[likeliest];
    boolean all = candidates.areAll();
    int count = all ? scores.length : candidates.choose(scores, max);
    if (weights.length < count) {
      weights = new double[scores.length];
    }
    double sum = 0;
    for (int i = 0; i < count; i++) {
      int id = all ? i : candidates.get(i);
      weights[i] = Math.exp((scores[id] - max) / sampling.temperature());
      sum += weights[i];
    }
    double left = random.nextDouble() * sum;
    for (int i = 0; i < count; i++) {
      left -= weights[i];
      if (left < 0) {
        return all ? i : candidates.get(i);
      }
    }
    return likeliest;
  }

  private float[] penalize(float[] logits, int[] tokens, int length) {
    if (penalized.length != logits.length) {
      penalized = new float[logits.length];
    }
    System.arraycopy(logits, 0, penalized, 0, logits.length);
    sampling
        .bias()
        .forEach(
            (token, bias) -> {
              if (token < penalized.length) {
                penalized[token] += bias;
              }
            });
    penalizeRepeats(tokens, length);
    penalizeGenerated(tokens, length);
    return penalized;
  }

  /** A token is penalized once however often it came. */
  private void penalizeRepeats(int[] tokens, int length) {
    float penalty = (float) sampling.repeatPenalty();
    int begin = penalty == 1 ? length : Math.max(0, length - sampling.repeatWindow());
    for (int id : distinct(tokens, begin, length)) {
      float logit = penalized[id];
      penalized[id] = logit > 0 ? logit / penalty : logit * penalty;
    }
  }

  private void penalizeGenerated(int[] tokens, int length) {
    if (sampling.presencePenalty() == 0 && sampling.frequencyPenalty() == 0) {
      return;
    }
    for (int id : distinct(tokens, prompt, length)) {
      penalized[id] -= (float) sampling.presencePenalty();
    }
    for (int i = prompt; i < length; i++) {
      penalized[tokens[i]] -= (float) sampling.frequencyPenalty();
    }
  }

  private static int[] distinct(int[] tokens, int begin, int end) {
    return begin < end ? Arrays.stream(tokens, begin, end).distinct().toArray() : new int[0];
  }

  private static int likeliest(float[] logits) {
    int likeliest = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[likeliest]) {
        likeliest = i;
      }
    }
    return likeliest;
  }
}
