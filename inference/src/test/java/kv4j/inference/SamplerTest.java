package kv4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
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

  /** Probabilities 0.4, 0.3, 0.2, 0.1 of tokens 2, 0, 3, 1. */
  private static final float[] TENTHS = {
    (float) Math.log(3), 0, (float) Math.log(4), (float) Math.log(2)
  };

  private static Set<Integer> drawn(Sampling sampling, float[] logits, int... before) {
    Sampler sampler = new Sampler(sampling);
    return IntStream.range(0, 2000)
        .map(i -> sampler.pick(logits, before, before.length))
        .boxed()
        .collect(Collectors.toSet());
  }

  private static Sampling cut(int topK, double topP, double minP) {
    return new Sampling(1, topK, topP, minP, 1, 64, 3);
  }

  @Test
  void topKKeepsTheLikeliest() {
    assertEquals(Set.of(2), drawn(cut(1, 1, 0), TENTHS));
    assertEquals(Set.of(2, 0, 3), drawn(cut(3, 1, 0), TENTHS));
    assertEquals(Set.of(0, 1, 2, 3), drawn(cut(0, 1, 0), TENTHS));
    assertEquals(Set.of(0, 1, 2, 3), drawn(cut(9, 1, 0), TENTHS));
  }

  @Test
  void topPKeepsTheFewestThatReachIt() {
    assertEquals(Set.of(2), drawn(cut(0, 0.39, 0), TENTHS));
    assertEquals(Set.of(2, 0), drawn(cut(0, 0.41, 0), TENTHS)); // 0.4, then 0.7
    assertEquals(Set.of(2, 0, 3), drawn(cut(0, 0.89, 0), TENTHS));
    assertEquals(Set.of(2, 0, 3, 1), drawn(cut(0, 0.91, 0), TENTHS));
    // Of what top-k leaves, 4/9, 3/9 and 2/9: two reach 0.75, which of all they do not.
    assertEquals(Set.of(2, 0), drawn(cut(3, 0.75, 0), TENTHS));
    assertEquals(Set.of(2, 0, 3), drawn(cut(0, 0.75, 0), TENTHS));
  }

  @Test
  void minPIsRelativeToTheLikeliest() {
    assertEquals(Set.of(2, 0, 3), drawn(cut(0, 1, 0.49), TENTHS)); // 1, 0.75, 0.5, 0.25
    assertEquals(Set.of(2, 0), drawn(cut(0, 1, 0.51), TENTHS));
    assertEquals(Set.of(2), drawn(cut(0, 1, 1), TENTHS));
    // A high temperature comes after the cuts and does not bring back what they took.
    assertEquals(Set.of(2, 0), drawn(new Sampling(50, 0, 1, 0.51, 1, 64, 3), TENTHS));
  }

  @Test
  void repetitionPenaltyDividesPositiveLogitsAndMultipliesOthers() {
    float[] logits = {2, -1, 3, -0.5f};
    Sampler greedy = new Sampler(new Sampling(0, 0, 1, 0, 2, 2, 0));
    assertEquals(2, greedy.pick(logits, new int[] {0, 0}, 2));
    assertEquals(0, greedy.pick(logits, new int[] {2, 2}, 2)); // 1.5, once only
    assertEquals(2, greedy.pick(logits, new int[] {2, 1, 1}, 3)); // too long ago
    assertEquals(2, greedy.pick(logits, new int[] {1, 3, 2, 2}, 2)); // not said yet
    float[] negative = {-1, -1.5f};
    assertEquals(1, greedy.pick(negative, new int[] {0}, 1)); // -2
    assertArrayEquals(new float[] {-1, -1.5f}, negative);
  }

  @Test
  void refusesSettingsThatMeanNothing() {
    assertThrows(IllegalArgumentException.class, () -> cut(-1, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> cut(0, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> cut(0, 1.01, 0));
    assertThrows(IllegalArgumentException.class, () -> cut(0, 1, -0.1));
    assertThrows(IllegalArgumentException.class, () -> cut(0, 1, Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> new Sampling(1, 0, 1, 0, 0, 64, 0));
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

  private static Sampling penalties(double presence, double frequency, Map<Integer, Float> bias) {
    return new Sampling(0, 0, 1, 0, 1, 0, 0, presence, frequency, bias);
  }

  /** Logits 3, 2 and 1: token 0 leads by 1, and then by what is left of that. */
  @Test
  void presenceCountsOnceAndFrequencyEachTimeAndThePromptNever() {
    float[] logits = {3, 2, 1};
    int[] twice = {0, 0};
    assertEquals(0, new Sampler(penalties(0.9, 0, Map.of())).pick(logits, twice, 2));
    assertEquals(1, new Sampler(penalties(1.1, 0, Map.of())).pick(logits, twice, 2));
    assertEquals(0, new Sampler(penalties(0, 0.4, Map.of())).pick(logits, twice, 2));
    assertEquals(1, new Sampler(penalties(0, 0.6, Map.of())).pick(logits, twice, 2));
    assertEquals(0, new Sampler(penalties(0, 0.6, Map.of()), 1).pick(logits, twice, 2));
    assertEquals(0, new Sampler(penalties(9, 9, Map.of()), 2).pick(logits, twice, 2));
    assertEquals(2, new Sampler(penalties(-3, 0, Map.of())).pick(logits, new int[] {2}, 1));
  }

  @Test
  void biasIsAddedBeforeAnythingElseAndTheLogitsStay() {
    float[] logits = {3, 2, 1};
    assertEquals(2, new Sampler(penalties(0, 0, Map.of(2, 2.5f))).pick(logits));
    assertEquals(1, new Sampler(penalties(0, 0, Map.of(0, -100f, 77, 100f))).pick(logits));
    assertArrayEquals(new float[] {3, 2, 1}, logits);
    assertThrows(IllegalArgumentException.class, () -> penalties(0, 0, Map.of(1, Float.NaN)));
    assertThrows(IllegalArgumentException.class, () -> penalties(Double.NaN, 0, Map.of()));
  }
}
