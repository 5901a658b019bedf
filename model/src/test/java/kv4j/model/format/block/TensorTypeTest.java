package kv4j.model.format.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Packs random integers, scales and minima into blocks, and expects of every element what the
 * type's formula gives for them. All formulas are exact in double but for the last rounding.
 */
class TensorTypeTest {
  private static final int ROUNDS = 300;

  private final Random random = new Random(42);

  @Test
  void f16OfEveryPattern() {
    ByteBuffer in = ByteBuffer.allocate(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
    for (int bits = 0; bits < 1 << 16; bits++) {
      in.putShort((short) bits);
    }
    float[] values = expand(TensorType.F16, in.flip(), 1 << 16);
    for (int bits = 0; bits < 1 << 16; bits++) {
      if ((bits & 0x7C00) == 0x7C00) {
        float expected = (bits & 0x8000) == 0 ? Float.POSITIVE_INFINITY : Float.NEGATIVE_INFINITY;
        assertEquals((bits & 0x3FF) == 0 ? expected : Float.NaN, values[bits], "bits " + bits);
      } else {
        assertEquals((float) half(bits), values[bits], "bits " + bits);
      }
    }
  }

  @Test
  void bf16OfEveryPattern() {
    ByteBuffer in = ByteBuffer.allocate(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
    for (int bits = 0; bits < 1 << 16; bits++) {
      in.putShort((short) bits);
    }
    float[] values = expand(TensorType.BF16, in.flip(), 1 << 16);
    for (int bits = 0; bits < 1 << 16; bits++) {
      int exponent = bits >> 7 & 0xFF;
      int fraction = bits & 0x7F;
      double magnitude =
          switch (exponent) {
            case 0 -> Math.scalb((double) fraction, -133);
            case 255 -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
            default -> Math.scalb(128.0 + fraction, exponent - 134);
          };
      assertEquals((float) (bits >> 15 == 0 ? magnitude : -magnitude), values[bits]);
    }
  }

  @Test
  void f32KeepsEveryBit() {
    ByteBuffer in = ByteBuffer.allocate(4 * 1000).order(ByteOrder.LITTLE_ENDIAN);
    float[] expected = new float[1000];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = Float.intBitsToFloat(random.nextInt());
      in.putInt(Float.floatToRawIntBits(expected[i]));
    }
    assertArrayEquals(expected, expand(TensorType.F32, in.flip(), 1000));
  }

  @Test
  void fourAndFiveBitsOfOneScale() {
    for (int round = 0; round < ROUNDS; round++) {
      int scale = finiteHalf();
      int minimum = finiteHalf();
      int[] four = integers(32, 16);
      int[] five = integers(32, 32);
      byte[] fourPacked = pairs(four, 0, 16);
      byte[] fivePacked = pairs(five, 0, 16);
      byte[] fifths = new byte[4];
      for (int i = 0; i < 32; i++) {
        fifths[i / 8] |= (byte) (five[i] >> 4 << i % 8);
      }
      double d = half(scale);
      double m = half(minimum);
      byte[] ds = halfBytes(scale);
      byte[] ms = halfBytes(minimum);
      check(TensorType.Q4_0, join(ds, fourPacked), 32, i -> d * (four[i] - 8));
      check(TensorType.Q4_1, join(ds, ms, fourPacked), 32, i -> d * four[i] + m);
      check(TensorType.Q5_0, join(ds, fifths, fivePacked), 32, i -> d * (five[i] - 16));
      check(TensorType.Q5_1, join(ds, ms, fifths, fivePacked), 32, i -> d * five[i] + m);
    }
  }

  @Test
  void eightBitsOfOneScale() {
    for (int round = 0; round < ROUNDS; round++) {
      int scale = finiteHalf();
      byte[] q = new byte[32];
      random.nextBytes(q);
      check(TensorType.Q8_0, join(halfBytes(scale), q), 32, i -> half(scale) * q[i]);
    }
  }

  @Test
  void fourAndFiveBitsOfScaledGroups() {
    for (int round = 0; round < ROUNDS; round++) {
      int scale = finiteHalf();
      int minimum = finiteHalf();
      int[] scales = integers(8, 64);
      int[] minima = integers(8, 64);
      byte[] groups = new byte[12];
      for (int i = 0; i < 4; i++) {
        groups[i] = (byte) (scales[i] | scales[i + 4] >> 4 << 6);
        groups[i + 4] = (byte) (minima[i] | minima[i + 4] >> 4 << 6);
        groups[i + 8] = (byte) (scales[i + 4] & 15 | (minima[i + 4] & 15) << 4);
      }
      int[] four = integers(256, 16);
      int[] five = integers(256, 32);
      byte[] fourPacked = new byte[0];
      byte[] fivePacked = new byte[0];
      for (int from = 0; from < 256; from += 64) {
        fourPacked = join(fourPacked, pairs(four, from, 32));
        fivePacked = join(fivePacked, pairs(five, from, 32));
      }
      byte[] fifths = new byte[32];
      for (int i = 0; i < 256; i++) {
        fifths[i % 32] |= (byte) (five[i] >> 4 << i / 32);
      }
      byte[] head = join(halfBytes(scale), halfBytes(minimum), groups);
      double d = half(scale);
      double m = half(minimum);
      check(
          TensorType.Q4_K,
          join(head, fourPacked),
          256,
          i -> d * scales[i / 32] * four[i] - m * minima[i / 32]);
      check(
          TensorType.Q5_K,
          join(head, fifths, fivePacked),
          256,
          i -> d * scales[i / 32] * five[i] - m * minima[i / 32]);
    }
  }

  @Test
  void sixBitsOfScaledGroups() {
    for (int round = 0; round < ROUNDS; round++) {
      int scale = finiteHalf();
      byte[] scales = new byte[16];
      random.nextBytes(scales);
      int[] q = integers(256, 64);
      byte[] lower = new byte[0];
      byte[] upper = new byte[64];
      for (int from = 0; from < 256; from += 128) {
        lower = join(lower, pairs(q, from, 64));
        for (int i = 0; i < 128; i++) {
          upper[from / 4 + i % 32] |= (byte) (q[from + i] >> 4 << i / 32 * 2);
        }
      }
      check(
          TensorType.Q6_K,
          join(lower, upper, scales, halfBytes(scale)),
          256,
          i -> half(scale) * scales[i / 16] * (q[i] - 32));
    }
  }

  @Test
  void expandsManyBlocksInOrderWhateverTheyAre() {
    for (TensorType type : TensorType.values()) {
      int blocks = 2 * 4096 / type.blockElements() + 3;
      byte[] bytes = new byte[blocks * type.blockBytes()];
      random.nextBytes(bytes);
      float[] all = expand(type, wrap(bytes), blocks * type.blockElements());
      for (int block : new int[] {0, blocks / 2, blocks - 2, blocks - 1}) {
        int from = block * type.blockBytes();
        byte[] one = Arrays.copyOfRange(bytes, from, from + type.blockBytes());
        int at = block * type.blockElements();
        assertArrayEquals(
            expand(type, wrap(one), type.blockElements()),
            Arrays.copyOfRange(all, at, at + type.blockElements()),
            type + " block " + block);
      }
    }
  }

  private interface Formula {
    double at(int element);
  }

  private static void check(TensorType type, byte[] block, int elements, Formula formula) {
    assertEquals(type.blockBytes(), block.length, type.toString());
    assertEquals(type.blockElements(), elements, type.toString());
    float[] expected = new float[elements];
    for (int i = 0; i < elements; i++) {
      expected[i] = (float) formula.at(i);
    }
    assertArrayEquals(expected, expand(type, wrap(block), elements), type.toString());
  }

  private static float[] expand(TensorType type, ByteBuffer in, int elements) {
    FloatBuffer out = FloatBuffer.allocate(elements);
    type.expand(in, out);
    assertTrue(!in.hasRemaining() && !out.hasRemaining(), type.toString());
    return out.array();
  }

  private static ByteBuffer wrap(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Lower four bits of a run of elements, each below those of the element a distance after it. */
  private static byte[] pairs(int[] q, int from, int distance) {
    byte[] packed = new byte[distance];
    for (int i = 0; i < distance; i++) {
      packed[i] = (byte) (q[from + i] % 16 + q[from + distance + i] % 16 * 16);
    }
    return packed;
  }

  private int[] integers(int count, int bound) {
    return random.ints(count, 0, bound).toArray();
  }

  private int finiteHalf() {
    int bits = random.nextInt(1 << 16);
    return (bits & 0x7C00) == 0x7C00 ? bits ^ 0x4000 : bits;
  }

  /** Value of a finite binary16. */
  private static double half(int bits) {
    int exponent = bits >> 10 & 31;
    int fraction = bits & 1023;
    double magnitude =
        exponent == 0
            ? Math.scalb((double) fraction, -24)
            : Math.scalb(1024.0 + fraction, exponent - 25);
    return bits >> 15 == 0 ? magnitude : -magnitude;
  }

  private static byte[] halfBytes(int bits) {
    return new byte[] {(byte) bits, (byte) (bits >> 8)};
  }

  private static byte[] join(byte[]... parts) {
    ByteBuffer all = ByteBuffer.allocate(Arrays.stream(parts).mapToInt(p -> p.length).sum());
    Arrays.stream(parts).forEach(all::put);
    return all.array();
  }
}
