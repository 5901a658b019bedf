package kv4j.cache.faulty;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvCaches;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import kv4j.cache.faulty.Fault.Part;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FaultyKvCacheTest {
  private static final int CACHED = 21; // not a multiple of the block size
  private static final int LENGTH = 30;
  private static final KvLayout LAYOUT = new KvLayout(3, 2, 4, 8, KvDtype.F32);
  private static final int[] PROMPT = IntStream.range(0, LENGTH).toArray();

  private static KvCacheProvider provider(String name) {
    return KvCaches.providers(FaultyKvCacheTest.class.getClassLoader()).get(name);
  }

  private static KvCache cache(String name, Fault fault) {
    return new FaultyKvCache(
        provider(name).create(KvCacheConfig.of(LAYOUT, Long.MAX_VALUE)), fault);
  }

  /** What a model would compute: other numbers for each layer, token and element. */
  private static float[] computed(int layer, int position, int part) {
    Random random = new Random(layer * 1_000 + position * 2 + part);
    float[] row = new float[LAYOUT.width()];
    for (int i = 0; i < row.length; i++) {
      row[i] = random.nextFloat() + 1;
    }
    return row;
  }

  /** Runs a request in passes, and notes what attention sees at its end. */
  private static float[][][][] run(KvCache cache, int[] prompt, int chunk) {
    KvRequest request = new KvRequest(prompt, Math.min(CACHED, prompt.length), "", "");
    float[][][][] seen = new float[2][LAYOUT.layers()][prompt.length][LAYOUT.width()];
    try (KvSequence sequence = cache.open(request)) {
      for (int begin = sequence.begin(); begin < prompt.length; begin = sequence.length()) {
        int tokens = Math.min(chunk, prompt.length - begin);
        for (int layer = 0; layer < LAYOUT.layers(); layer++) {
          float[] keys = new float[tokens * LAYOUT.width()];
          float[] values = keys.clone();
          for (int row = 0; row < tokens; row++) {
            int at = row * LAYOUT.width();
            System.arraycopy(computed(layer, begin + row, 0), 0, keys, at, LAYOUT.width());
            System.arraycopy(computed(layer, begin + row, 1), 0, values, at, LAYOUT.width());
          }
          KvSpans spans = sequence.update(layer, keys, values, 0, tokens);
          assertEquals(begin + tokens, spans.length());
          read(spans, layer, seen);
        }
      }
      sequence.commit(prompt);
    }
    return seen;
  }

  private static void read(KvSpans spans, int layer, float[][][][] seen) {
    for (int span = 0, at = 0; span < spans.count(); span++) {
      for (int slot = 0; slot < spans.tokens(span); slot++, at++) {
        spans.block(span).read(layer, slot, 1, seen[0][layer][at], seen[1][layer][at], 0);
      }
    }
  }

  private static double length(float[] row, int head) {
    int from = head * LAYOUT.headDim();
    return Math.sqrt(
        IntStream.range(from, from + LAYOUT.headDim()).mapToDouble(i -> row[i] * row[i]).sum());
  }

  @ParameterizedTest
  @CsvSource({
    "radix, 0, -1, -1, -1",
    "radix, 1, 2, -1, -1",
    "radix, 0, -1, 1, -1",
    "radix, 1, -1, -1, 0",
    "radix, 0, 1, 0, 20",
    "simple, 1, 0, -1, -1",
    "simple, 0, -1, 1, 17"
  })
  void justWhatTheFaultNamesIsMovedByJustItsAmount(
      String over, int part, int layer, int head, int token) {
    Fault fault = Fault.USUAL.withPart(Part.values()[part]).withAmount(0.25);
    fault = layer < 0 ? fault : fault.withLayer(layer);
    fault = head < 0 ? fault : fault.withHead(head);
    fault = token < 0 ? fault : fault.withToken(token);
    for (int chunk : new int[] {1, 2, LENGTH}) {
      try (KvCache cache = cache(over, fault)) {
        run(cache, Arrays.copyOf(PROMPT, CACHED), LENGTH);
        float[][][][] seen = run(cache, PROMPT, chunk);
        for (int p = 0; p < 2; p++) {
          for (int l = 0; l < LAYOUT.layers(); l++) {
            for (int t = 0; t < LENGTH; t++) {
              float[] right = computed(l, t, p);
              float[] difference = new float[right.length];
              for (int i = 0; i < right.length; i++) {
                difference[i] = seen[p][l][t][i] - right[i];
              }
              for (int h = 0; h < LAYOUT.kvHeads(); h++) {
                boolean wrong =
                    p == part
                        && (layer < 0 || layer == l)
                        && (head < 0 || head == h)
                        && (token < 0 || token == t)
                        && t < CACHED;
                double expected = wrong ? 0.25 * length(right, h) : 0;
                assertEquals(
                    expected,
                    length(difference, h),
                    1e-6 * length(right, h),
                    "%s %d %d %d".formatted(p == 0 ? "key" : "value", l, t, h));
              }
            }
          }
        }
      }
    }
  }

  @Test
  void theSeedAloneDecidesOnTheDirections() {
    float[][][][] first = seen(Fault.USUAL);
    assertArrayEquals(first[1], seen(Fault.USUAL)[1]);
    float[][][][] other = seen(Fault.USUAL.withSeed(7));
    assertArrayEquals(first[0], other[0], "keys are right both times");
    assertFalse(Arrays.deepEquals(first[1], other[1]));
  }

  private static float[][][][] seen(Fault fault) {
    try (KvCache cache = cache("radix", fault)) {
      run(cache, Arrays.copyOf(PROMPT, CACHED), LENGTH);
      return run(cache, PROMPT, LENGTH);
    }
  }

  @Test
  void whatTheOtherCacheKeepsStaysRight() {
    try (KvCache right = provider("radix").create(KvCacheConfig.of(LAYOUT, Long.MAX_VALUE))) {
      FaultyKvCache faulty = new FaultyKvCache(right, Fault.USUAL);
      run(right, PROMPT, LENGTH);
      run(faulty, PROMPT, LENGTH);
      float[][][][] seen = run(right, PROMPT, LENGTH);
      for (int layer = 0; layer < LAYOUT.layers(); layer++) {
        for (int position = 0; position < LENGTH; position++) {
          assertArrayEquals(computed(layer, position, 1), seen[1][layer][position]);
        }
      }
    }
  }

  @Test
  void onlyLookupsThatFoundSomethingOfItAreMarked() {
    try (KvCache cache = cache("radix", Fault.USUAL.withToken(12))) {
      assertEquals("", fault(cache, LENGTH), "cold");
      run(cache, Arrays.copyOf(PROMPT, 13), LENGTH);
      assertEquals("", fault(cache, 13), "12 tokens are found, none of which is number 12");
      assertEquals(
          "values of all layers, all heads, token 12, moved by 0.5 of their length",
          fault(cache, 14));
      KvSequence again = cache.tryOpen(KvRequest.of(PROMPT), true).orElseThrow();
      assertFalse(again.lookup().fault().isEmpty());
      again.close();
    }
    try (KvCache cache = cache("none", Fault.USUAL)) {
      run(cache, PROMPT, LENGTH);
      assertEquals("", fault(cache, LENGTH));
    }
  }

  private static String fault(KvCache cache, int tokens) {
    try (KvSequence sequence = cache.open(KvRequest.of(Arrays.copyOf(PROMPT, tokens)))) {
      return sequence.lookup().fault();
    }
  }

  @Test
  void aNameSaysWhatIsWrong() {
    FaultyCacheProvider provider =
        FaultyCacheProvider.of(
            "faulty:over=simple:part=keys:layer=2:head=1:token=9:amount=1.5:seed=3",
            FaultyKvCacheTest::provider);
    assertEquals("simple", provider.over().name());
    Fault expected =
        Fault.USUAL
            .withPart(Part.KEYS)
            .withLayer(2)
            .withHead(1)
            .withToken(9)
            .withAmount(1.5)
            .withSeed(3);
    assertEquals(expected, provider.fault());
    assertEquals(
        Fault.USUAL, FaultyCacheProvider.of("faulty", FaultyKvCacheTest::provider).fault());
    assertFalse(FaultyCacheProvider.isNamedBy("faulty2"));
    assertEquals(null, provider("faulty"), "nobody finds it who has not asked for it");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "layer=3 | a fault's layer must be from 0 to 2, not 3",
        "head=-1 | a fault's head must be from 0 to 1, not -1",
        "token=-1 | a fault's token must be from 0 to ",
        "amount=0 | a fault's amount must be above 0, not 0.0",
        "amount=NaN | a fault's amount must be above 0, not NaN",
        "amount=much | the amount of the cache faulty must be a number, not \"much\"",
        "layer | the layer of the cache faulty must be a number, not \"\"",
        "part=all | the part of the cache faulty must be keys or values, not \"all\"",
        "layers=3 | the cache faulty is told over, part, layer, head, token, amount and seed, not",
      })
  void refusesWhatMakesNoSense(String values) {
    String[] parts = values.split(" \\| ");
    IllegalArgumentException refusal =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                FaultyCacheProvider.of("faulty:" + parts[0], FaultyKvCacheTest::provider)
                    .create(KvCacheConfig.of(LAYOUT, 1 << 20)));
    assertTrue(refusal.getMessage().startsWith(parts[1]), refusal.getMessage());
  }
}
