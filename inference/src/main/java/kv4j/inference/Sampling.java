package kv4j.inference;

/**
 * How a token is picked from logits.
 *
 * @param temperature 0 picks the likeliest token (greedy); above, softmax(logits ÷ temperature) is
 *     sampled
 * @param seed of the random numbers; the same seed gives the same tokens
 */
public record Sampling(double temperature, long seed) {
  /** The likeliest token, always. */
  public static final Sampling GREEDY = new Sampling(0, 0);

  public Sampling {
    if (!(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException("temperature must be 0 or more, not " + temperature);
    }
  }
}
