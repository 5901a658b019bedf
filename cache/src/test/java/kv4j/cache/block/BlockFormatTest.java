package kv4j.cache.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BlockFormatTest {
  private static final String MODEL = "model f\u00fcr alle";

  private static KvLayout layout(KvDtype dtype) {
    return new KvLayout(3, 2, 8, 16, dtype);
  }

  private static KvBlock random(KvLayout layout, int tokens, Random random) {
    KvBlock block = new KvBlock(layout);
    for (int layer = 0; layer < layout.layers(); layer++) {
      block.write(layer, 0, tokens, rows(layout, tokens, random), rows(layout, tokens, random), 0);
    }
    return block;
  }

  private static float[] rows(KvLayout layout, int tokens, Random random) {
    float[] rows = new float[tokens * layout.width()];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) random.nextGaussian();
    }
    return rows;
  }

  private static float[] content(KvBlock block, int tokens) {
    KvLayout layout = block.layout();
    int size = tokens * layout.width();
    float[] all = new float[2 * size * layout.layers()];
    for (int layer = 0; layer < layout.layers(); layer++) {
      float[] keys = new float[size];
      float[] values = new float[size];
      block.read(layer, 0, tokens, keys, values, 0);
      System.arraycopy(keys, 0, all, 2 * layer * size, size);
      System.arraycopy(values, 0, all, (2 * layer + 1) * size, size);
    }
    return all;
  }

  private static BlockKey key(KvLayout layout, int tokens) {
    return BlockKey.beforeAll(layout, MODEL, "tenant", "")
        .next(IntStream.range(0, tokens).toArray(), 0, tokens);
  }

  private static ByteBuffer written(KvBlock block, int tokens) {
    ByteBuffer buffer = ByteBuffer.allocate(BlockFormat.bytes(block.layout(), MODEL));
    BlockFormat.write(block, tokens, MODEL, key(block.layout(), tokens), buffer);
    assertEquals(0, buffer.remaining());
    return buffer.flip();
  }

  @ParameterizedTest
  @EnumSource
  void everyBlockComesBackAsItWas(KvDtype dtype) {
    KvLayout layout = layout(dtype);
    for (int tokens = 1; tokens <= layout.blockTokens(); tokens++) {
      KvBlock block = random(layout, tokens, new Random(tokens));
      ByteBuffer buffer = written(block, tokens);
      BlockFormat.Stored stored = BlockFormat.read(buffer, layout, MODEL, key(layout, tokens));
      assertEquals(0, buffer.remaining());
      assertEquals(tokens, stored.tokens());
      assertArrayEquals(content(block, tokens), content(stored.block(), tokens));
    }
  }

  @Test
  void theBytesAreThoseThatTheFormatNames() {
    KvLayout layout = new KvLayout(1, 1, 2, 1, KvDtype.F32);
    KvBlock block = new KvBlock(layout);
    block.write(0, 0, 1, new float[] {1, 2}, new float[] {3, 4}, 0);
    BlockKey key = BlockKey.beforeAll(layout, "m", "", "").next(new int[] {7}, 0, 1);
    ByteBuffer buffer = ByteBuffer.allocate(100).position(5); // not at the beginning
    BlockFormat.write(block, 1, "m", key, buffer);
    buffer.flip().position(5).order(ByteOrder.LITTLE_ENDIAN);
    byte[] magic = new byte[4];
    buffer.get(magic);
    assertEquals("KV4J", new String(magic, StandardCharsets.US_ASCII));
    assertEquals(1, buffer.getInt());
    byte[] hash = new byte[BlockKey.BYTES];
    buffer.get(hash);
    assertEquals(key.toString(), HexFormat.of().formatHex(hash));
    for (int number : new int[] {1, 1, 2, 1, 1, 3}) {
      assertEquals(number, buffer.getInt());
    }
    assertEquals('f', buffer.get());
    buffer.position(buffer.position() + 2);
    assertEquals(1, buffer.getInt());
    assertEquals('m', buffer.get());
    for (float number : new float[] {1, 2, 3, 4}) {
      assertEquals(number, buffer.getFloat());
    }
    assertEquals(4, buffer.remaining());
  }

  @Test
  void noDamageGoesUnnoticed() {
    KvLayout layout = layout(KvDtype.I8);
    BlockKey key = key(layout, 16);
    byte[] good = written(random(layout, 16, new Random(1)), 16).array();
    Random random = new Random(2);
    for (int at = 0; at < good.length; at++) {
      byte[] bad = good.clone();
      bad[at] ^= (byte) (1 + random.nextInt(255));
      refused(bad, layout, MODEL, key);
      refused(Arrays.copyOf(good, at), layout, MODEL, key);
    }
  }

  @Test
  void whatIsNotExpectedIsRefusedWithTheReason() {
    KvLayout layout = layout(KvDtype.F16);
    byte[] good = written(random(layout, 16, new Random(1)), 16).array();
    BlockKey key = key(layout, 16);
    KvLayout other = new KvLayout(3, 2, 8, 16, KvDtype.BF16);
    assertTrue(refused(good, other, MODEL, key).contains("dtype=f16"));
    assertTrue(refused(good, layout, "another", key).contains(MODEL + ", not another"));
    assertEquals("a stored block has another key", refused(good, layout, MODEL, key(layout, 15)));
    assertEquals(
        "a stored block is cut short", refused(Arrays.copyOf(good, 90), layout, MODEL, key));
  }

  private static String refused(byte[] bytes, KvLayout layout, String model, BlockKey key) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> BlockFormat.read(buffer, layout, model, key))
            .getMessage();
    assertEquals(0, buffer.position());
    return message;
  }

  /** Worked out anew from what the class says it hashes. */
  @Test
  void keysAreChainedHashes() throws Exception {
    KvLayout layout = new KvLayout(1, 1, 2, 2, KvDtype.F32);
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (String part :
        List.of(
            "kv4j block key 1",
            "KvLayout[layers=1, kvHeads=1, headDim=2, blockTokens=2, dtype=f32]",
            "model",
            "tenant",
            "salt")) {
      digest.update(new byte[] {0, 0, 0, (byte) part.length()});
      digest.update(part.getBytes(StandardCharsets.US_ASCII));
    }
    byte[] before = digest.digest();
    digest.update(before);
    digest.update(new byte[] {0, 0, 0, 5, 0, 0, 1, 0});
    byte[] first = digest.digest();
    digest.update(first);
    digest.update(new byte[] {0, 0, 0, 7, 0, 0, 0, 8});
    byte[] second = digest.digest();
    List<BlockKey> keys =
        BlockKey.ofBlocks(layout, "model", "tenant", "salt", new int[] {5, 256, 7, 8, 9});
    assertEquals(2, keys.size());
    assertArrayEquals(first, keys.get(0).toBytes());
    assertArrayEquals(second, keys.get(1).toBytes());
  }

  @Test
  void whateverDiffersGivesOtherKeys() {
    KvLayout layout = layout(KvDtype.F32);
    int[] tokens = IntStream.range(0, 64).toArray();
    int[] others = tokens.clone();
    others[0]++;
    Set<BlockKey> all = new HashSet<>();
    all.addAll(BlockKey.ofBlocks(layout, "m", "n", "s", tokens));
    all.addAll(BlockKey.ofBlocks(layout, "m", "n", "s", others));
    all.addAll(BlockKey.ofBlocks(layout, "mn", "", "s", tokens));
    all.addAll(BlockKey.ofBlocks(layout, "m", "ns", "", tokens));
    all.addAll(BlockKey.ofBlocks(layout, "m", "n", "", tokens));
    all.addAll(BlockKey.ofBlocks(layout(KvDtype.I8), "m", "n", "s", tokens));
    assertEquals(6 * 4, all.size());
    assertEquals(
        BlockKey.ofBlocks(layout, "m", "n", "s", tokens).subList(0, 3),
        BlockKey.ofBlocks(layout, "m", "n", "s", Arrays.copyOf(tokens, 63)));
    assertNotEquals(all.iterator().next(), null);
  }
}
