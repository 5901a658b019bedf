package kv4j.model.weight;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class FiniteTest {
  @Test
  void everySingleOtherValueIsSeen() {
    float[] values = new float[9001];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 2 == 0 ? Float.MAX_VALUE : -Float.MIN_VALUE * i;
    }
    assertTrue(Finite.all(values, 0, values.length));
    for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      for (int i = 0; i < values.length; i += 1 + i / 50) {
        float before = values[i];
        values[i] = odd;
        assertFalse(Finite.all(values, 0, values.length), odd + " at " + i);
        values[i] = before;
      }
    }
    values[0] = Float.NaN;
    values[9000] = Float.NaN;
    assertTrue(Finite.all(values, 1, 8999));
  }
}
