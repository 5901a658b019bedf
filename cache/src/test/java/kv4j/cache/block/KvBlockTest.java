package kv4j.cache.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class KvBlockTest {
  private static final int[] BLOCKS = {1, 7, 16, 33, 64};

  private static float[] gaussian(Random random, int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static KvLayout layout(Random random, KvDtype dtype) {
    int blockTokens = BLOCKS[random.nextInt(BLOCKS.length)];
    return new KvLayout(
        1 + random.nextInt(3), 1 + random.nextInt(3), 1 + random.nextInt(40), blockTokens, dtype);
  }

  /** One element as a dtype without scales keeps it. */
  private static float rounded(KvDtype dtype, float value) {
    return switch (dtype) {
      case F16 -> Float16.fromHalf(Float16.toHalf(value));
      case BF16 -> Float16.fromBrain(Float16.toBrain(value));
      default -> value;
    };
  }

  @ParameterizedTest
  @EnumSource
  void everyTokenIsReadBackRounded(KvDtype dtype) {
    long seed = System.nanoTime();
    for (int i = 0; i < 60; i++) {
      Random random = new Random(seed + i);
      KvLayout layout = layout(random, dtype);
      KvBlock block = new KvBlock(layout);
      int tokens = layout.blockTokens();
      int width = layout.width();
      for (int layer = 0; layer < layout.layers(); layer++) {
        float[] keys = gaussian(random, (tokens + 2) * width);
        float[] values = gaussian(random, (tokens + 2) * width);
        int cut = random.nextInt(tokens + 1); // written in two parts
        block.write(layer, 0, cut, keys, values, 2);
        block.write(layer, cut, tokens - cut, keys, values, 2 + cut);
        float[] keysRead = new float[(tokens + 1) * width];
        float[] valuesRead = new float[(tokens + 1) * width];
        block.read(layer, 0, tokens, keysRead, valuesRead, 1);
        String message = layout + ", seed " + (seed + i);
        for (int vector = 0; vector < tokens * layout.kvHeads(); vector++) {
          assertVector(layout, keys, keysRead, vector, message);
          assertVector(layout, values, valuesRead, vector, message);
        }
      }
    }
  }

  private static void assertVector(
      KvLayout layout, float[] written, float[] read, int vector, String message) {
    int headDim = layout.headDim();
    int from = 2 * layout.width() + vector * headDim;
    int to = layout.width() + vector * headDim;
    float largest = 0;
    for (int i = 0; i < headDim; i++) {
      largest = Math.max(largest, Math.abs(written[from + i]));
    }
    for (int i = 0; i < headDim; i++) {
      float value = written[from + i];
      if (layout.dtype() == KvDtype.I8) {
        // Half a step, and what rounding the scale to 16 bits adds.
        float bound = largest / 127 / 2 * (1 + 1e-2f);
        assertTrue(Math.abs(read[to + i] - value) <= bound, message);
      } else {
        assertEquals(rounded(layout.dtype(), value), read[to + i], message);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatWasReadIsKeptUnchanged(KvDtype dtype) {
    long seed = System.nanoTime();
    for (int i = 0; i < 60; i++) {
      Random random = new Random(seed + i);
      KvLayout layout = layout(random, dtype);
      int tokens = layout.blockTokens();
      float[] keys = gaussian(random, tokens * layout.width());
      float[] values = gaussian(random, tokens * layout.width());
      float[][] once = through(layout, keys, values);
      float[][] twice = through(layout, once[0], once[1]);
      assertArrayEquals(once, twice, layout + ", seed " + (seed + i));
    }
  }

  private static float[][] through(KvLayout layout, float[] keys, float[] values) {
    KvBlock block = new KvBlock(layout);
    block.write(0, 0, layout.blockTokens(), keys, values, 0);
    float[][] out = {new float[keys.length], new float[values.length]};
    block.read(0, 0, layout.blockTokens(), out[0], out[1], 0);
    return out;
  }

  @ParameterizedTest
  @EnumSource
  void copiesAndExpansionsReadTheSame(KvDtype dtype) {
    long seed = System.nanoTime();
    for (int i = 0; i < 60; i++) {
      Random random = new Random(seed + i);
      KvLayout layout = layout(random, dtype);
      String message = layout + ", seed " + (seed + i);
      int full = layout.blockTokens();
      int width = layout.width();
      KvBlock block = new KvBlock(layout);
      for (int layer = 0; layer < layout.layers(); layer++) {
        float[] keys = gaussian(random, full * width);
        block.write(layer, 0, full, keys, gaussian(random, full * width), 0);
      }
      int tokens = 1 + random.nextInt(full);
      KvBlock copy = new KvBlock(layout);
      block.copyTo(copy, tokens);
      for (int layer = 0; layer < layout.layers(); layer++) {
        float[] keys = new float[tokens * width], values = new float[tokens * width];
        block.read(layer, 0, tokens, keys, values, 0);
        float[] keysCopied = new float[tokens * width], valuesCopied = new float[tokens * width];
        copy.read(layer, 0, tokens, keysCopied, valuesCopied, 0);
        assertArrayEquals(keys, keysCopied, message);
        assertArrayEquals(values, valuesCopied, message);
        assertExpansion(layout, block, layer, tokens, keys, values, message);
      }
    }
  }

  private static void assertExpansion(
      KvLayout layout,
      KvBlock block,
      int layer,
      int tokens,
      float[] keys,
      float[] values,
      String message) {
    int headDim = layout.headDim();
    int tile = layout.tileTokens();
    for (int head = 0; head < layout.kvHeads(); head++) {
      float[] out = new float[3 + layout.headStride()];
      block.expandValues(layer, head, tokens, new KvExpander(), out, 3);
      for (int i = 0; i < tokens * headDim; i++) {
        int row = i / headDim * layout.width();
        assertEquals(values[row + head * headDim + i % headDim], out[3 + i], message);
      }
      block.expandKeys(layer, head, tokens, new KvExpander(), out, 3);
      for (int i = 0; i < tokens * headDim; i++) {
        int t = i / headDim;
        int at = t / tile * tile * headDim + i % headDim * tile + t % tile;
        int row = t * layout.width();
        assertEquals(keys[row + head * headDim + i % headDim], out[3 + at], message);
      }
    }
  }

  @Test
  void floatsAreHandedOutOnlyWhereTheyAreKept() {
    KvLayout layout = new KvLayout(1, 1, 2, 4, KvDtype.F32);
    KvBlock block = new KvBlock(layout);
    block.write(0, 1, 1, new float[] {5, 6}, new float[] {7, 8}, 0);
    // One tile of 4 tokens: dimension 0 of each, then dimension 1.
    assertArrayEquals(new float[] {0, 5, 0, 0, 0, 6, 0, 0}, block.keys(0));
    assertArrayEquals(new float[] {0, 0, 7, 8, 0, 0, 0, 0}, block.values(0));
    KvBlock half = new KvBlock(new KvLayout(1, 1, 2, 4, KvDtype.F16));
    assertThrows(IllegalStateException.class, () -> half.keys(0));
  }

  @Test
  void handWorkedBytes() {
    KvBlock block = new KvBlock(new KvLayout(1, 1, 4, 1, KvDtype.I8));
    // The scale is 2: 5 is half way between 2 and 3 steps, 3 between 1 and 2; both go to the 2.
    float[] vector = {254, 5, -3, 100};
    float[] out = new float[4];
    block.write(0, 0, 1, vector, new float[4], 0);
    float[] zeros = {1, 1, 1, 1};
    block.read(0, 0, 1, out, zeros, 0);
    assertArrayEquals(new float[] {254, 4, -4, 100}, out);
    assertArrayEquals(new float[4], zeros);
  }

  @Test
  void bytesAreCountedWithScales() {
    // 2 layers, 3 heads of 8, keys and values: 96 elements and 12 scales a token.
    assertEquals(384, new KvLayout(2, 3, 8, 16, KvDtype.F32).bytesPerToken());
    assertEquals(192, new KvLayout(2, 3, 8, 16, KvDtype.F16).bytesPerToken());
    assertEquals(192, new KvLayout(2, 3, 8, 16, KvDtype.BF16).bytesPerToken());
    assertEquals(96 + 48, new KvLayout(2, 3, 8, 16, KvDtype.I8).bytesPerToken());
    assertEquals(16 * (96 + 48), new KvLayout(2, 3, 8, 16, KvDtype.I8).bytesPerBlock());
  }

  @Test
  void dtypesGoByName() {
    for (KvDtype dtype : KvDtype.values()) {
      assertEquals(dtype, KvDtype.parse(dtype.toString()));
    }
    assertEquals(KvDtype.BF16, KvDtype.parse("BF16"));
    Exception e = assertThrows(IllegalArgumentException.class, () -> KvDtype.parse("f8"));
    assertEquals("there is no cache dtype named f8; there are f32, f16, bf16, i8", e.getMessage());
  }
}
