package kv4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
  private static final float[] LOGITS = {1, -2, 0.5f, 3, Float.NEGATIVE_INFINITY, 2.5f};

  @Test
  void greedyPicksTheLargestAndOfEqualsTheLowest() {
    Sampler greedy = new Sampler(Sampling.GREEDY);
    assertEquals(3, greedy.pick(LOGITS));
    assertEquals(1, greedy.pick(new float[] {-5, 2, 2, 1, 2}));
    assertEquals(0, greedy.pick(new float[] {-7, -7}));
  }

  @Test
  void theSameSeedGivesTheSameTokensAndAnotherSeedOthers() {
    assertArrayEquals(picks(new Sampling(1, 5), 200), picks(new Sampling(1, 5), 200));
    assertNotEquals(
        Arrays.toString(picks(new Sampling(1, 5), 200)),
        Arrays.toString(picks(new Sampling(1, 6), 200)));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.3, 1, 2.5})
  void frequenciesAreTheSoftmaxOfTheLogitsByTemperature(double temperature) {
    int count = 200_000;
    long[] seen = new long[LOGITS.length];
    for (int token : picks(new Sampling(temperature, 11), count)) {
      seen[token]++;
    }
    double sum = 0;
    for (float logit : LOGITS) {
      sum += Math.exp(logit / temperature);
    }
    for (int i = 0; i < LOGITS.length; i++) {
      double probability = Math.exp(LOGITS[i] / temperature) / sum;
      double deviation = Math.sqrt(count * probability * (1 - probability));
      assertEquals(count * probability, seen[i], 5 * deviation, "token " + i);
    }
  }

  @Test
  void largeLogitsDoNotOverflow() {
    assertEquals(1, new Sampler(new Sampling(0.01, 1)).pick(new float[] {1e4f, 2e4f, -3e38f}));
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.1, Double.NaN, Double.POSITIVE_INFINITY})
  void refusesTemperaturesThatMeanNothing(double temperature) {
    Exception refusal =
        assertThrows(IllegalArgumentException.class, () -> new Sampling(temperature, 0));
    assertTrue(refusal.getMessage().contains(String.valueOf(temperature)));
  }

  private static int[] picks(Sampling sampling, int count) {
    Sampler sampler = new Sampler(sampling);
    return IntStream.range(0, count).map(i -> sampler.pick(LOGITS)).toArray();
  }
}
