package kv4j.inference;

import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Picks tokens from logits as a {@link Sampling} says. Not thread-safe: one per request. */
public final class Sampler {
  private final Sampling sampling;
  private final SplittableRandom random;

  public Sampler(Sampling sampling) {
    this.sampling = sampling;
    random = new SplittableRandom(sampling.seed());
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
    float[] penalized = penalize(logits, tokens, length);
    if (sampling.temperature() == 0) {
      return likeliest(penalized);
    }
    boolean all = sampling.topK() == 0 && sampling.topP() == 1 && sampling.minP() == 0;
    return sample(
        penalized,
        all ? IntStream.range(0, logits.length).toArray() : candidates(penalized),
        penalized[likeliest(penalized)]);
  }

  private float[] penalize(float[] logits, int[] tokens, int length) {
    float penalty = (float) sampling.repeatPenalty();
    if (penalty == 1) {
      return logits;
    }
    float[] penalized = logits.clone();
    IntStream.range(Math.max(0, length - sampling.repeatWindow()), length)
        .map(i -> tokens[i])
        .distinct()
        .forEach(token -> penalized[token] *= logits[token] > 0 ? 1 / penalty : penalty);
    return penalized;
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

  /** What top-k, top-p and min-p leave, the likeliest first; at least one. */
  private int[] candidates(float[] logits) {
    int most = sampling.topK() == 0 ? logits.length : sampling.topK();
    int[] ids =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted((a, b) -> Float.compare(logits[b], logits[a]))
            .limit(most)
            .mapToInt(Integer::intValue)
            .toArray();
    double max = logits[ids[0]];
    double[] shares = IntStream.of(ids).mapToDouble(id -> Math.exp(logits[id] - max)).toArray();
    double enough = sampling.topP() == 1 ? Double.POSITIVE_INFINITY : sampling.topP() * sum(shares);
    int kept = 0;
    double sum = 0;
    while (kept < ids.length
        && (kept == 0 || (sum < enough && shares[kept] >= sampling.minP()))) { // shares[0] is 1
      sum += shares[kept];
      kept++;
    }
    return IntStream.of(ids).limit(kept).toArray();
  }

  private static double sum(double... values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }

  private int sample(float[] logits, int[] ids, double max) {
    double[] weights = new double[ids.length];
    for (int i = 0; i < ids.length; i++) {
      weights[i] = Math.exp((logits[ids[i]] - max) / sampling.temperature());
    }
    double left = random.nextDouble() * sum(weights);
    for (int i = 0; i < ids.length; i++) {
      left -= weights[i];
      if (left < 0) {
        return ids[i];
      }
    }
    return likeliest(logits);
  }
}
