package kv4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CandidatesTest {
  /** The definitions, on a list sorted as a whole and cut once for each setting. */
  private static int[] sorted(Sampling sampling, float[] logits) {
    Comparator<Integer> likeliestFirst = Comparator.comparingDouble(id -> 0.0 - logits[id]);
    List<Integer> ids = IntStream.range(0, logits.length).boxed().sorted(likeliestFirst).toList();
    if (sampling.topK() > 0) {
      ids = ids.subList(0, Math.min(sampling.topK(), ids.size()));
    }
    double max = logits[ids.get(0)];
    double total = ids.stream().mapToDouble(id -> Math.exp(logits[id] - max)).sum();
    int kept = 0;
    for (double sum = 0; kept < ids.size() && (sum < sampling.topP() || sampling.topP() == 1); ) {
      sum += Math.exp(logits[ids.get(kept++)] - max) / total;
    }
    double least = max + Math.log(sampling.minP());
    return ids.subList(0, kept).stream()
        .mapToInt(id -> id)
        .filter(id -> logits[id] >= least)
        .toArray();
  }

  private static int[] chosen(Candidates candidates, float[] logits) {
    double max = IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).max().getAsDouble();
    int count = candidates.choose(logits, max);
    return IntStream.range(0, count).map(candidates::get).toArray();
  }

  private static Sampling random(Random random) {
    int topK = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(60);
    double topP = random.nextInt(3) == 0 ? 1 : 0.01 + 0.98 * random.nextDouble();
    double minP = random.nextInt(3) == 0 ? 0 : Math.pow(random.nextDouble(), 4);
    return new Sampling(1, topK, topP, minP, 1, 64, 0);
  }

  /** Of the same vocabulary again and again, as a generation has them, and with many ties. */
  private static float[] logits(Random random, int size, boolean ties) {
    float[] logits = new float[size];
    double spread = 0.1 + 6 * random.nextDouble();
    for (int i = 0; i < size; i++) {
      double value = spread * random.nextGaussian();
      logits[i] = (float) (ties ? Math.rint(value) : value);
    }
    if (random.nextInt(4) == 0) {
      logits[random.nextInt(size)] = Float.NEGATIVE_INFINITY;
    }
    return logits;
  }

  @Test
  void areThoseOfASortedList() {
    int left = 0;
    for (int seed = 0; seed < 3000; seed++) {
      Random random = new Random(seed);
      Sampling sampling = random(random);
      Candidates candidates = new Candidates(sampling);
      for (int token = 0; token < 3; token++) {
        float[] logits = logits(random, 1 + random.nextInt(300), random.nextBoolean());
        float[] before = logits.clone();
        int[] expected = sorted(sampling, logits);
        String what = "seed " + seed + " token " + token + " " + sampling;
        assertArrayEquals(expected, chosen(candidates, logits), what);
        assertArrayEquals(before, logits, what);
        left += expected.length;
      }
    }
    assertTrue(left > 9000 * 5, "there was little to choose from: " + left);
  }

  @Test
  void areThoseOfASortedListForALargeVocabulary() {
    for (int seed = 0; seed < 12; seed++) {
      Random random = new Random(seed);
      Sampling sampling = random(random);
      float[] logits = logits(random, 50_000, seed % 2 == 0);
      assertArrayEquals(
          sorted(sampling, logits),
          chosen(new Candidates(sampling), logits),
          "seed " + seed + " " + sampling);
    }
  }

  @Test
  void equalLogitsGoByTheirIds() {
    float[] equal = new float[9];
    Arrays.fill(equal, -2.5f);
    Sampling three = new Sampling(1, 3, 1, 0, 1, 64, 0);
    assertArrayEquals(new int[] {0, 1, 2}, chosen(new Candidates(three), equal));
    Sampling third = new Sampling(1, 0, 1.0 / 3, 0, 1, 64, 0);
    assertArrayEquals(new int[] {0, 1, 2}, chosen(new Candidates(third), equal));
    Sampling likely = new Sampling(1, 0, 1, 1, 1, 64, 0);
    assertEquals(9, chosen(new Candidates(likely), equal).length);
  }

  @Test
  void brokenLogitsStillLeaveOne() {
    float[] broken = {Float.NaN, Float.POSITIVE_INFINITY, 1, Float.NEGATIVE_INFINITY};
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      Candidates candidates = new Candidates(random(random));
      for (double max : new double[] {Double.NaN, 1 / 0.0, -1 / 0.0, 1}) {
        assertTrue(candidates.choose(broken, max) >= 1, "seed " + seed);
      }
    }
  }
}
