package kv4j.apps.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kv4j.cache.Lookup;
import kv4j.inference.GenerationResult;
import org.junit.jupiter.api.Test;

class AgreementTest {
  private final Agreement agreement = new Agreement();

  private static GenerationResult result(int[] tokens, float[]... logits) {
    Lookup lookup = new Lookup(3, 0, Lookup.Reason.COLD, "");
    return new GenerationResult(tokens, lookup, 1, 2, logits);
  }

  @Test
  void sameTokensAgreeAndTheLargestDifferenceIsKept() {
    agreement.compare(
        result(new int[] {1, 0}, new float[] {0, 8, -16}, new float[] {4, 2, 1}),
        result(new int[] {1, 0}, new float[] {0, 8, -16}, new float[] {4, 2, 1.25f}));
    agreement.compare(
        result(new int[] {0}, new float[] {1, 0, 0}), result(new int[] {0}, new float[] {1, 0, 0}));
    assertTrue(agreement.identical());
    assertEquals(0.25, agreement.maxDifference());
    assertEquals(1e-4 * 16, agreement.tolerance(), 1e-12);
  }

  @Test
  void otherTokensDoNotAgree() {
    agreement.compare(
        result(new int[] {0}, new float[] {1, 0.5f}), result(new int[] {1}, new float[] {0.5f, 1}));
    assertFalse(agreement.identical());
  }

  @Test
  void eitherOfTwoTokensIsRightWhereTheyAreCloserThanTwiceTheTolerance() {
    float[] close = {1, 1 - 1.9e-4f};
    float[] apart = {1, 1 - 2.1e-4f};
    agreement.compare(result(new int[] {0}, close), result(new int[] {1}, close));
    assertTrue(agreement.identical());
    agreement.compare(result(new int[] {0}, apart), result(new int[] {1}, apart));
    assertFalse(agreement.identical());
  }

  @Test
  void whatFollowsDifferentTokensIsNotCompared() {
    float[] tie = {1, 1};
    agreement.compare(
        result(new int[] {0, 0}, tie, new float[] {9, 0}),
        result(new int[] {1, 1}, tie, new float[] {0, 9}));
    assertTrue(agreement.identical());
    assertEquals(0, agreement.maxDifference());
  }

  @Test
  void aShorterRunIsABeginning() {
    agreement.compare(
        result(new int[] {0, 1}, new float[] {1, 0}, new float[] {0, 1}),
        result(new int[] {0}, new float[] {1, 0}));
    assertTrue(agreement.identical());
  }

  @Test
  void aLogitThatIsNoNumberShows() {
    agreement.compare(
        result(new int[] {0}, new float[] {1, 0}),
        result(new int[] {0}, new float[] {1, Float.NaN}));
    assertTrue(Double.isNaN(agreement.maxDifference()));
  }
}
