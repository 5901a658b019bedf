package kv4j.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;
import org.junit.jupiter.api.Test;

class TransformerConfigTest {
  @Test
  void refusesShapesThatCannotBe() {
    assertTrue(failure(0, 4, 2, 8, 1e-5f).contains("layers"));
    assertTrue(failure(1, 4, 3, 8, 1e-5f).contains("4 heads cannot share 3 KV heads"));
    assertTrue(failure(1, 4, 8, 8, 1e-5f).contains("4 heads cannot share 8 KV heads"));
    assertTrue(failure(1, 4, 2, 7, 1e-5f).contains("not 7"));
    assertTrue(failure(1, 4, 2, 8, 0).contains("epsilon"));
    assertTrue(failure(1, 4, 2, 8, Float.NaN).contains("epsilon"));
  }

  /** Worked out from the formula by hand, as Llama 3.1's own code has it. */
  @Test
  void llama3ScalingKeepsShortWavesAndStretchesLongOnes() {
    Positions.PerPair scaling = Positions.llama3(500_000, 128, 8, 1, 4, 8192);
    assertEquals(64, scaling.divisors().size());
    for (int pair = 0; pair < 64; pair++) {
      double frequency = Math.pow(500_000, -pair / 64.0);
      double wave = 2 * Math.PI / frequency;
      double smooth = (8192 / wave - 1) / 3;
      double expected =
          wave < 8192 / 4.0
              ? frequency
              : wave > 8192 ? frequency / 8 : (1 - smooth) * frequency / 8 + smooth * frequency;
      assertEquals(expected, frequency / scaling.divisor(pair), 1e-6 * expected, "pair " + pair);
    }
    assertEquals(1, scaling.divisor(0));
    assertEquals(8, scaling.divisor(63));
    assertEquals(3, new Positions.Linear(3).divisor(5));
  }

  @Test
  void refusesScalingThatCannotBe() {
    Class<IllegalArgumentException> refused = IllegalArgumentException.class;
    assertThrows(refused, () -> new Positions.Linear(0));
    assertThrows(refused, () -> new Positions.PerPair(List.of(1f, Float.NaN)));
    assertThrows(refused, () -> Positions.llama3(1e4f, 8, 8, 4, 4, 8192));
    Positions.Scaling three = new Positions.PerPair(List.of(1f, 1f, 1f));
    Positions rotary = new Positions.Rotary(1e4f, RopePairing.SPLIT, three);
    String message =
        assertThrows(
                refused,
                () ->
                    new TransformerConfig(
                        1, 16, 2, 2, 8, 16, 16, 16, 1e-5f, rotary, Block.LLAMA, true))
            .getMessage();
    assertEquals("a head of 8 needs 4 factors of rope scaling, not 3", message);
  }

  private static String failure(
      int layers, int heads, int kvHeads, int headDim, float normEpsilon) {
    return assertThrows(
            IllegalArgumentException.class,
            () ->
                new TransformerConfig(
                    layers,
                    16,
                    heads,
                    kvHeads,
                    headDim,
                    16,
                    16,
                    16,
                    normEpsilon,
                    1e4f,
                    RopePairing.SPLIT,
                    true))
        .getMessage();
  }
}
