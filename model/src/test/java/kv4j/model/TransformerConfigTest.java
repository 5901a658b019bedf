package kv4j.model;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
