package kv4j.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ExpectedHitsTest {
  private static ExpectedHits of(String cache) {
    ClassLoader loader = ExpectedHitsTest.class.getClassLoader();
    return KvCaches.providers(loader).get(cache).expectedHits().orElseThrow();
  }

  private static KvRequest request(int shared, int... prompt) {
    return new KvRequest(prompt, shared, "", "");
  }

  private static int nextThenRan(ExpectedHits hits, KvRequest request, int... generated) {
    int expected = hits.next(request);
    hits.ran(request, generated);
    return expected;
  }

  @Test
  void nothingIsExpectedOfCachesThatKeepNothing() {
    for (String cache : new String[] {"none", "request"}) {
      ExpectedHits hits = of(cache);
      assertEquals(0, nextThenRan(hits, request(2, 1, 2, 3), 4));
      assertEquals(0, nextThenRan(hits, request(2, 1, 2, 3), 4));
    }
  }

  @Test
  void anExplicitPrefixIsFoundFromItsSecondUseOn() {
    ExpectedHits hits = of("simple");
    assertEquals(0, nextThenRan(hits, request(2, 1, 2, 3), 4));
    assertEquals(2, nextThenRan(hits, request(2, 1, 2, 3), 4));
    assertEquals(2, nextThenRan(hits, request(2, 1, 2, 5, 6), 4));
    assertEquals(0, nextThenRan(hits, request(3, 1, 2, 3, 4), 4));
    assertEquals(1, nextThenRan(hits, request(2, 1, 2), 4), "one token is left to compute");
    assertEquals(0, nextThenRan(hits, request(2, 9, 2, 3), 4));
  }

  @Test
  void theLongestPrefixGoesOnIntoWhatWasGenerated() {
    ExpectedHits hits = of("radix");
    assertEquals(0, nextThenRan(hits, request(0, 1, 2, 3), 4, 5));
    assertEquals(2, nextThenRan(hits, request(0, 1, 2, 9), 4));
    assertEquals(4, nextThenRan(hits, request(0, 1, 2, 3, 4, 5, 6), 7), "the 5 was not computed");
    assertEquals(5, nextThenRan(hits, request(0, 1, 2, 3, 4, 5, 6), 7), "one is left to compute");
  }

  @Test
  void theLongestPrefixIsThatOfABruteForceSearch() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    ExpectedHits hits = of("radix");
    Set<String> prefixes = new HashSet<>();
    int found = 0;
    for (int i = 0; i < 200; i++) {
      int[] prompt = random.ints(1 + random.nextInt(12), 0, 2).toArray();
      int[] generated = random.ints(1 + random.nextInt(4), 0, 2).toArray();
      int expected = prompt.length - 1;
      while (expected > 0 && !prefixes.contains(Arrays.toString(Arrays.copyOf(prompt, expected)))) {
        expected--;
      }
      assertEquals(
          expected, nextThenRan(hits, request(0, prompt), generated), "seed " + seed + " at " + i);
      found += expected;
      int[] all = IntStream.concat(IntStream.of(prompt), IntStream.of(generated)).toArray();
      for (int n = 1; n < all.length; n++) {
        prefixes.add(Arrays.toString(Arrays.copyOf(all, n)));
      }
    }
    assertTrue(found > 0);
  }
}
