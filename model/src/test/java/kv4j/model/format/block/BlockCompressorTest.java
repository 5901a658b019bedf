package kv4j.model.format.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Blocks made of floats: on paper, by formulas in double precision, and as ggml makes them. */
class BlockCompressorTest {
  private static final int ROUNDS = 2000;

  /**
   * Below this, steps are as near to one integer as to the next, but for the rounding of floats.
   */
  private static final double TIE = 1e-4;

  @Test
  void f16OfEveryHalfIsThatHalf() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      if ((bits & 0x7C00) != 0x7C00) {
        assertEquals(bits, HalfFloats.nearestHalf(halfOf(bits)), "bits " + bits);
      }
    }
    assertEquals(0x7C00, HalfFloats.nearestHalf(Float.POSITIVE_INFINITY));
    assertEquals(0xFC00, HalfFloats.nearestHalf(Float.NEGATIVE_INFINITY));
    assertEquals(0x7E00, HalfFloats.nearestHalf(Float.NaN));
  }

  /** Half way between two neighbours is the even one's, and a float's width off that is not. */
  @Test
  void f16BetweenTwoHalvesIsTheNearerOrTheEven() {
    for (int bits = 0; bits < 0x7C00; bits++) {
      float low = halfOf(bits);
      double high = bits == 0x7BFF ? 65536 : halfOf(bits + 1);
      float middle = (float) ((low + high) / 2); // exact
      int even = bits + (bits & 1);
      for (int sign : new int[] {0, 0x8000}) {
        float side = sign == 0 ? 1 : -1;
        assertEquals(sign | even, HalfFloats.nearestHalf(side * middle), "above " + bits);
        assertEquals(sign | bits, HalfFloats.nearestHalf(side * Math.nextDown(middle)));
        assertEquals(sign | bits + 1, HalfFloats.nearestHalf(side * Math.nextUp(middle)));
      }
    }
  }

  /** The farthest element is -4 and 127 steps, so a step is 4/127, 0x2810 as a half: 0.031738. */
  @Test
  void q80WorkedOutOnPaper() {
    float[] values = new float[32];
    values[0] = -4; // -127 steps
    values[1] = 4; // 127
    values[2] = 1; // 31.75
    values[3] = -1; // -31.75
    values[4] = 0.01f; // 0.32
    values[5] = -0.02f; // -0.64
    values[31] = 2; // 63.5, in floats 63.500004 or just a half: away from 0 both
    byte[] expected = new byte[34];
    expected[0] = 0x08; // 4/127 = 2^-5 * 1.007874, and 0.007874 * 1024 = 8.06
    expected[1] = 0x28; // the exponent -5 + 15 = 10, in bits 2 and up: 10 * 4
    System.arraycopy(new byte[] {-127, 127, 32, -32, 0, -1}, 0, expected, 2, 6);
    expected[33] = 64;
    assertArrayEquals(expected, compress(TensorType.Q8_0, values));
  }

  /** A step of 1, that is, 127 steps to the farthest: halves of steps go away from 0. */
  @Test
  void q80RoundsHalvesAwayFromZero() {
    float[] values = new float[32];
    values[0] = 127;
    values[1] = 0.5f;
    values[2] = -0.5f;
    values[3] = 2.5f;
    values[4] = -2.5f;
    values[5] = Math.nextDown(0.5f);
    values[6] = Math.nextUp(-0.5f);
    byte[] expected = new byte[34];
    expected[1] = 0x3C; // 1 as a half
    System.arraycopy(new byte[] {127, 1, -1, 3, -3, 0, 0}, 0, expected, 2, 7);
    assertArrayEquals(expected, compress(TensorType.Q8_0, values));
  }

  @Test
  void q40WorkedOutOnPaper() {
    float[] values = new float[32]; // each 0 is 8
    values[0] = 4; // farthest, and first of two: -8 steps of -0.5, stored as 0
    values[1] = -4; // 8 steps, cut to 7: 15
    values[2] = -1; // 2 steps: 10
    values[3] = 0.25f; // -0.5 steps, and 8 - 0.5 + 0.5 = 8
    values[16] = 0.3f; // -0.6: 7
    values[17] = 1.75f; // -3.5: 8 - 3.5 + 0.5 = 5
    values[31] = -3.74f; // 7.48: 15
    byte[] expected = new byte[18];
    Arrays.fill(expected, (byte) 0x88);
    expected[0] = 0x00;
    expected[1] = (byte) 0xB8; // -0.5 as a half
    expected[2] = 0x70;
    expected[3] = 0x5F;
    expected[4] = (byte) 0x8A;
    expected[17] = (byte) 0xF8;
    assertArrayEquals(expected, compress(TensorType.Q4_0, values));
  }

  @Test
  void zerosHaveAScaleOfZero() {
    byte[] four = new byte[18];
    Arrays.fill(four, (byte) 0x88);
    four[0] = 0;
    four[1] = (byte) 0x80; // 0 / -8
    assertArrayEquals(four, compress(TensorType.Q4_0, new float[32]));
    assertArrayEquals(new byte[34], compress(TensorType.Q8_0, new float[32]));
  }

  /** Scales so small that their inverse is infinite, and the largest that there are. */
  @Test
  void theSmallestAndTheLargestComeBackFinite() {
    for (TensorType type : new TensorType[] {TensorType.Q4_0, TensorType.Q8_0, TensorType.F16}) {
      float[] values = new float[32];
      for (float farthest : new float[] {Float.MIN_VALUE, -1e-39f, 1e-38f, 1e-30f}) {
        Arrays.fill(values, farthest);
        for (float back : expand(type, compress(type, values))) {
          assertEquals(0, back, 0f, type + " of " + farthest);
        }
      }
      for (float farthest : new float[] {type.largest(), -type.largest()}) {
        values[3] = farthest;
        assertEquals(farthest, expand(type, compress(type, values))[3], type.toString());
      }
    }
  }

  @Test
  void q80IsTheFormulaInDoublePrecision() {
    for (int seed = 0; seed < ROUNDS; seed++) {
      float[] values = row(new Random(seed));
      double farthest = 0;
      for (float value : values) {
        farthest = Math.max(farthest, Math.abs((double) value));
      }
      double step = farthest / 127;
      float stored = halfOf(HalfFloats.nearestHalf((float) step));
      float[] back = expand(TensorType.Q8_0, compress(TensorType.Q8_0, values));
      for (int i = 0; i < 32; i++) {
        double steps = values[i] / step;
        requireNearest(steps, back[i] / stored, -127, 127, "seed " + seed + " element " + i);
        double slack = step / 2 + 127 * Math.abs(stored - step) + 1e-6 * farthest;
        assertEquals(values[i], back[i], slack, "seed " + seed + " element " + i);
      }
    }
  }

  @Test
  void q40IsTheFormulaInDoublePrecision() {
    for (int seed = 0; seed < ROUNDS; seed++) {
      float[] values = row(new Random(seed));
      double farthest = 0;
      for (float value : values) {
        farthest = Math.abs(value) > Math.abs(farthest) ? value : farthest;
      }
      double step = farthest / -8;
      float stored = halfOf(HalfFloats.nearestHalf((float) step));
      float[] back = expand(TensorType.Q4_0, compress(TensorType.Q4_0, values));
      for (int i = 0; i < 32; i++) {
        double steps = values[i] / step;
        requireNearest(steps, back[i] / stored, -8, 7, "seed " + seed + " element " + i);
        double off = steps > 7.5 ? steps - 7 : 0.5;
        double slack =
            off * Math.abs(step) + 8 * Math.abs(stored - step) + 1e-6 * 8 * Math.abs(step);
        assertEquals(values[i], back[i], slack, "seed " + seed + " element " + i);
      }
    }
  }

  private static void requireNearest(double steps, double actual, int low, int high, String what) {
    double nearest = Math.max(low, Math.min(high, Math.rint(steps)));
    boolean tie = Math.abs(Math.abs(steps - Math.floor(steps)) - 0.5) < TIE;
    double off = tie ? 1 : 0;
    assertEquals(nearest, Math.rint(actual), off, what);
    assertEquals(Math.rint(actual), actual, 1e-4, what);
  }

  /**
   * Digests of what llama.cpp's own functions made of the same numbers, in the build that {@code
   * de.kherud:llama:4.2.0} has: {@code quantize_row_q8_0_ref}, {@code quantize_row_q4_0_ref} and,
   * for F16, {@code ggml_fp32_to_fp16_row}.
   */
  @Test
  void aMillionElementsAreAsGgmlStoresThem() throws NoSuchAlgorithmException {
    float[] values = new float[1 << 20];
    int state = 1;
    for (int i = 0; i < values.length; i++) {
      state = state * 1664525 + 1013904223;
      int block = i >> 5; // of sixteen sizes
      values[i] = (state >> 12) * Math.scalb(1f, -16 - (block & 31) / 2);
    }
    assertEquals(
        "a816d3873ba3e14a443ffc90eee215eeeeae88808000758fb5c85e0fc644eb94",
        digest(compress(TensorType.Q8_0, values)));
    assertEquals(
        "dfb1933fa38dc918955e1a925f164f2c6e15c10460d9df2c612e7d1a328daf28",
        digest(compress(TensorType.Q4_0, values)));
    assertEquals(
        "b94ce0fb55a20e537086c1e03e162616b1084713dcb79d20bbefa6b8acbf5772",
        digest(compress(TensorType.F16, values)));
  }

  @Test
  void manyBlocksAreStoredInOrder() {
    Random random = new Random(3);
    float[] values = new float[2 * 4096 + 96];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    for (TensorType type : new TensorType[] {TensorType.Q4_0, TensorType.Q8_0, TensorType.F16}) {
      byte[] all = compress(type, values);
      for (int at = 0; at < values.length; at += 32) {
        int bytes = 32 / type.blockElements() * type.blockBytes();
        int from = at / 32 * bytes;
        assertArrayEquals(
            compress(type, Arrays.copyOfRange(values, at, at + 32)),
            Arrays.copyOfRange(all, from, from + bytes),
            type + " element " + at);
      }
    }
  }

  @Test
  void otherTypesAreReadOnly() {
    assertThrows(
        IllegalArgumentException.class,
        () -> TensorType.Q4_K.compress(FloatBuffer.allocate(256), ByteBuffer.allocate(144)));
  }

  /** Of any size from 2^-12 to 2^12, its elements spread evenly or with many small ones. */
  private static float[] row(Random random) {
    double size = Math.scalb(1 + random.nextDouble(), random.nextInt(24) - 12);
    boolean even = random.nextBoolean();
    float[] values = new float[32];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (size * (even ? 2 * random.nextDouble() - 1 : random.nextGaussian()));
    }
    return values;
  }

  private static float halfOf(int bits) {
    return HalfFloats.half(new byte[] {(byte) bits, (byte) (bits >> 8)}, 0);
  }

  private static byte[] compress(TensorType type, float[] values) {
    ByteBuffer out =
        ByteBuffer.allocate(values.length / type.blockElements() * type.blockBytes())
            .order(ByteOrder.LITTLE_ENDIAN);
    FloatBuffer in = FloatBuffer.wrap(values);
    type.compress(in, out);
    assertTrue(!in.hasRemaining() && !out.hasRemaining(), type.toString());
    return out.array();
  }

  private static float[] expand(TensorType type, byte[] blocks) {
    float[] values = new float[blocks.length / type.blockBytes() * type.blockElements()];
    type.expand(ByteBuffer.wrap(blocks).order(ByteOrder.LITTLE_ENDIAN), FloatBuffer.wrap(values));
    return values;
  }

  private static String digest(byte[] bytes) throws NoSuchAlgorithmException {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}
