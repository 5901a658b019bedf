package kv4j.cache.block;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class Float16Test {
  /** The value of a half, from the definition of binary16. */
  private static double definition(int bits) {
    int exponent = bits >> 10 & 31;
    int fraction = bits & 1023;
    double sign = (bits & 0x8000) == 0 ? 1 : -1;
    if (exponent == 31) {
      return fraction == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
    }
    return exponent == 0
        ? sign * fraction * 0x1p-24
        : sign * (1024 + fraction) * Math.pow(2, exponent - 25);
  }

  @Test
  void everyHalfHasItsValueAndComesBack() {
    for (int bits = 0; bits < 65536; bits++) {
      float value = Float16.fromHalf((short) bits);
      assertEquals((float) definition(bits), value, "half " + Integer.toHexString(bits));
      int back = Float16.toHalf(value) & 0xFFFF;
      if (Float.isNaN(value)) {
        assertTrue(Double.isNaN(definition(back)));
      } else {
        assertEquals(bits, back);
      }
    }
  }

  @Test
  void halvesBetweenTwoGoToTheEvenOne() {
    for (int bits = 0; bits < 0x7C00; bits++) {
      // The next half after the largest finite one would be 65536.
      double low = definition(bits);
      double high = bits == 0x7BFF ? 65536 : definition(bits + 1);
      float middle = (float) ((low + high) / 2);
      assertEquals((low + high) / 2, middle); // exact in a float
      int even = bits % 2 == 0 ? bits : bits + 1;
      assertEquals(even, Float16.toHalf(middle), "above half " + Integer.toHexString(bits));
      assertEquals(bits, Float16.toHalf(Math.nextDown(middle)));
      assertEquals(bits + 1, Float16.toHalf(Math.nextUp(middle)));
      assertEquals((short) (even | 0x8000), Float16.toHalf(-middle));
    }
  }

  @Test
  void handWorkedHalves() {
    assertEquals(0x3C00, Float16.toHalf(1));
    assertEquals((short) 0xC000, Float16.toHalf(-2));
    assertEquals(0x3555, Float16.toHalf(1 / 3f));
    assertEquals(0x7BFF, Float16.toHalf(65504));
    assertEquals(0x7BFF, Float16.toHalf(65519));
    assertEquals(0x7C00, Float16.toHalf(65520));
    assertEquals(0x7C00, Float16.toHalf(1e30f));
    assertEquals((short) 0xFC00, Float16.toHalf(Float.NEGATIVE_INFINITY));
    assertEquals(0x0001, Float16.toHalf(0x1p-24f));
    assertEquals(0x0000, Float16.toHalf(0x1p-25f));
    assertEquals((short) 0x8000, Float16.toHalf(-0f));
  }

  @Test
  void everyBrainFloatComesBack() {
    for (int bits = 0; bits < 65536; bits++) {
      float value = Float16.fromBrain((short) bits);
      assertEquals(bits << 16, Float.floatToRawIntBits(value));
      if (!Float.isNaN(value)) {
        assertEquals((short) bits, Float16.toBrain(value));
      }
    }
    assertTrue(Float.isNaN(Float16.fromBrain(Float16.toBrain(Float.NaN))));
    // A NaN whose payload lies only in the bits dropped.
    assertTrue(Float.isNaN(Float16.fromBrain(Float16.toBrain(Float.intBitsToFloat(0x7F800001)))));
  }

  @Test
  void handWorkedBrainFloats() {
    // Between 1 and 2 the step is 1/128.
    assertEquals(1, roundedToBrain(1 + 1 / 256f)); // half way: to the even 1
    assertEquals(1 + 1 / 64f, roundedToBrain(1 + 3 / 256f)); // half way: to the even 1 + 2/128
    assertEquals(1 + 1 / 128f, roundedToBrain(Math.nextUp(1 + 1 / 256f)));
    assertEquals(Float.POSITIVE_INFINITY, roundedToBrain(Float.MAX_VALUE));
  }

  @Test
  void noBrainFloatIsNearer() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 10_000; i++) {
      float value = (float) random.nextGaussian();
      float step = Math.ulp(value) * 65536;
      assertTrue(Math.abs(roundedToBrain(value) - value) <= step / 2, "seed " + seed);
    }
  }

  private static float roundedToBrain(float value) {
    return Float16.fromBrain(Float16.toBrain(value));
  }
}
