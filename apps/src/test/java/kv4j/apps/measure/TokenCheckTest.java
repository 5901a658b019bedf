package kv4j.apps.measure;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class TokenCheckTest {
  private static final float[] CLEAR = {3, 1, 2};
  private static final float[] TIE = {3, 2.9999f, 2};

  private static boolean agrees(int[] expected, float[] logits, int... tokens) {
    TokenCheck check = new TokenCheck(expected);
    for (int token : tokens) {
      assertTrue(check.token(token, logits));
    }
    return check.agrees();
  }

  @Test
  void anotherTokenIsWrong() {
    assertTrue(agrees(new int[] {0, 0}, CLEAR, 0, 0));
    assertFalse(agrees(new int[] {0, 1}, CLEAR, 0, 0));
    assertFalse(agrees(new int[] {2, 0}, CLEAR, 0, 0), "not forgotten later");
  }

  @Test
  void eitherOfTwoAsGoodAsEqualIsRightAndWhatFollowsIsAnotherText() {
    assertTrue(agrees(new int[] {1, 2}, TIE, 0, 0));
    assertFalse(agrees(new int[] {2, 0}, TIE, 0, 0));
  }

  @Test
  void comparesNoMoreThanThereIs() {
    assertTrue(agrees(new int[] {}, CLEAR, 1, 2));
  }
}
