package kv4j.inference;

import java.util.Map;

/**
 * How a token is picked from logits. What is set takes effect in the order that llama.cpp has by
 * default: bias, repetition penalty, presence and frequency penalty, top-k, top-p, min-p,
 * temperature.
 *
 * @param temperature 0 picks the likeliest token (greedy); above, softmax(logits ÷ temperature) is
 *     sampled
 * @param topK only so many of the likeliest tokens; 0: all
 * @param topP only the fewest likeliest tokens whose probabilities sum up to at least this
 *     (Holtzman et al. 2020), of what top-k has left; 1: all
 * @param minP only tokens at least this times as probable as the likeliest; 0: all
 * @param repeatPenalty by which positive logits of recent tokens are divided and others multiplied
 *     (Keskar et al. 2019); 1: none
 * @param repeatWindow how many of the last tokens, those of the prompt included, are recent
 * @param seed of the random numbers; the same seed gives the same tokens
 * @param presencePenalty what is taken off the logit of each token generated before, as OpenAI
 *     defines it; tokens of the prompt do not count
 * @param frequencyPenalty likewise, for each time that it was
 * @param bias what is added to the logits of some tokens, by id
 */
public record Sampling(
    double temperature,
    int topK,
    double topP,
    double minP,
    double repeatPenalty,
    int repeatWindow,
    long seed,
    double presencePenalty,
    double frequencyPenalty,
    Map<Integer, Float> bias) {
  /** How many tokens are recent if nothing is said. */
  public static final int REPEAT_WINDOW = 64;

  /** The likeliest token, always. */
  public static final Sampling GREEDY = new Sampling(0, 0);

  public Sampling {
    if (!(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException("temperature must be 0 or more, not " + temperature);
    }
    if (topK < 0) {
      throw new IllegalArgumentException("top-k must be 0 or more, not " + topK);
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new IllegalArgumentException("top-p must be above 0 and at most 1, not " + topP);
    }
    if (!(minP >= 0 && minP <= 1)) {
      throw new IllegalArgumentException("min-p must be from 0 to 1, not " + minP);
    }
    if (!(repeatPenalty > 0) || Double.isInfinite(repeatPenalty)) {
      throw new IllegalArgumentException("repeat penalty must be above 0, not " + repeatPenalty);
    }
    if (repeatWindow < 0) {
      throw new IllegalArgumentException("repeat window must be 0 or more, not " + repeatWindow);
    }
    if (!Double.isFinite(presencePenalty)) {
      throw new IllegalArgumentException(
          "presence penalty must be a number, not " + presencePenalty);
    }
    if (!Double.isFinite(frequencyPenalty)) {
      throw new IllegalArgumentException(
          "frequency penalty must be a number, not " + frequencyPenalty);
    }
    bias = Map.copyOf(bias);
    bias.forEach(
        (token, value) -> {
          if (token < 0 || !Float.isFinite(value)) {
            throw new IllegalArgumentException(
                "a bias must be a number for a token, not %s for %d".formatted(value, token));
          }
        });
  }

  /** Without bias, presence and frequency penalty. */
  public Sampling(
      double temperature,
      int topK,
      double topP,
      double minP,
      double repeatPenalty,
      int repeatWindow,
      long seed) {
    this(temperature, topK, topP, minP, repeatPenalty, repeatWindow, seed, 0, 0, Map.of());
  }

  /** All tokens as their probabilities are. */
  public Sampling(double temperature, long seed) {
    this(temperature, 0, 1, 0, 1, REPEAT_WINDOW, seed);
  }

  /** Whether tokens are picked from the logits as they are. */
  boolean keepsLogits() {
    return repeatPenalty == 1 && presencePenalty == 0 && frequencyPenalty == 0 && bias.isEmpty();
  }
}
