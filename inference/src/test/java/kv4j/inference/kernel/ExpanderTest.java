package kv4j.inference.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import kv4j.cache.block.KvExpander;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The Vector API expander against the plain one, which the cache's own tests check. */
class ExpanderTest {
  private final KvExpander plain = new KvExpander();
  private KvExpander vector;

  @BeforeEach
  void load() throws ReflectiveOperationException {
    Forms.assumeVectorApi();
    vector =
        (KvExpander)
            Class.forName("kv4j.inference.kernel.VectorExpander")
                .getDeclaredConstructor()
                .newInstance();
  }

  @Test
  void every16BitPattern() {
    int count = 65536 + 5; // some are left over for no whole vector
    short[] in = new short[3 + count];
    for (int i = 0; i < count; i++) {
      in[3 + i] = (short) i;
    }
    float[] expected = new float[7 + count];
    float[] out = new float[7 + count];
    plain.f16(in, 3, count, expected, 7);
    vector.f16(in, 3, count, out, 7);
    for (int i = 0; i < out.length; i++) {
      assertEquals(expected[i], out[i], "half " + Integer.toHexString(i - 7));
    }
    plain.bf16(in, 3, count, expected, 7);
    vector.bf16(in, 3, count, out, 7);
    for (int i = 0; i < out.length; i++) {
      assertEquals(expected[i], out[i], "bfloat16 " + Integer.toHexString(i - 7));
    }
  }

  @Test
  void bytes() {
    long seed = System.nanoTime();
    for (int i = 0; i < 100; i++) {
      Random random = new Random(seed + i);
      int headDim = 1 + random.nextInt(70);
      int tile = random.nextBoolean() ? 16 : 1 + random.nextInt(40);
      byte[] in = new byte[5 + headDim * tile];
      random.nextBytes(in);
      float[] scales = new float[2 + tile];
      for (int t = 0; t < scales.length; t++) {
        scales[t] = random.nextFloat();
      }
      float[] expected = new float[4 + headDim * tile];
      float[] out = new float[expected.length];
      plain.i8(in, 5, headDim, scales[0], expected, 4);
      vector.i8(in, 5, headDim, scales[0], out, 4);
      assertArrayEquals(expected, out, "seed " + (seed + i));
      plain.i8Tile(in, 5, headDim, tile, scales, 2, expected, 4);
      vector.i8Tile(in, 5, headDim, tile, scales, 2, out, 4);
      assertArrayEquals(expected, out, "seed " + (seed + i));
    }
  }
}
