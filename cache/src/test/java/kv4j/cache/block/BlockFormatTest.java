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
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BlockFormatTest {
  private static final String MODEL = "model f\u00fcr alle";
  private static final long NOW = 1_700_000_000_000L;

  private static KvLayout layout(KvDtype dtype) {
    return new KvLayout(3, 2, 8, 16, dtype);
  }

  private static KvBlock random(KvLayout layout, Random random) {
    KvBlock block = new KvBlock(layout);
    int tokens = layout.blockTokens();
    for (int layer = 0; layer < layout.layers(); layer++) {
      block.write(layer, 0, tokens, rows(layout, random), rows(layout, random), 0);
    }
    return block;
  }

  private static float[] rows(KvLayout layout, Random random) {
    float[] rows = new float[layout.blockTokens() * layout.width()];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) random.nextGaussian();
    }
    return rows;
  }

  private static float[] content(KvBlock block) {
    KvLayout layout = block.layout();
    int size = layout.blockTokens() * layout.width();
    float[] all = new float[2 * size * layout.layers()];
    for (int layer = 0; layer < layout.layers(); layer++) {
      float[] keys = new float[size];
      float[] values = new float[size];
      block.read(layer, 0, layout.blockTokens(), keys, values, 0);
      System.arraycopy(keys, 0, all, 2 * layer * size, size);
      System.arraycopy(values, 0, all, (2 * layer + 1) * size, size);
    }
    return all;
  }

  private static BlockChain chain(KvLayout layout, KvDtype stored, String salt) {
    int[] tokens = IntStream.range(100, 100 + 3 * layout.blockTokens() + 1).toArray();
    return new BlockChain(layout, stored, MODEL, "tenant", salt, tokens);
  }

  private static BlockChain chain(KvLayout layout) {
    return chain(layout, layout.dtype(), "");
  }

  @ParameterizedTest
  @EnumSource
  void everyBlockComesBackAsItWas(KvDtype dtype) {
    KvLayout layout = layout(dtype);
    BlockChain chain = chain(layout);
    assertEquals(3, chain.size());
    for (int index = 0; index < chain.size(); index++) {
      KvBlock block = random(layout, new Random(index));
      byte[] value = BlockFormat.write(block, chain, index, NOW);
      assertArrayEquals(content(block), content(BlockFormat.read(value, chain, index)));
      BlockHeader header = BlockFormat.check(value);
      assertEquals(chain.key(index), header.key());
      assertEquals(chain.root(), header.root());
      assertEquals(index == 0 ? chain.root() : chain.key(index - 1), header.before());
      assertEquals(NOW, header.writtenMillis());
      assertEquals(layout, header.layout());
      assertEquals(MODEL, header.model());
      assertEquals(16 * index, header.position());
      assertArrayEquals(
          IntStream.range(100 + 16 * index, 116 + 16 * index).toArray(), header.tokens());
    }
  }

  /** What is stored with fewer bits comes back as those bits, in the layout of the cache. */
  @ParameterizedTest
  @EnumSource
  void aBlockIsRoundedToTheStoredDtype(KvDtype stored) {
    KvLayout layout = layout(KvDtype.F32);
    BlockChain chain = chain(layout, stored, "");
    KvBlock block = random(layout, new Random(7));
    KvBlock rounded = random(layout.withDtype(stored), new Random(7)); // of the same numbers
    byte[] value = BlockFormat.write(block, chain, 1, NOW);
    KvBlock read = BlockFormat.read(value, chain, 1);
    assertEquals(layout, read.layout());
    assertArrayEquals(content(rounded), content(read));
    assertEquals(stored, BlockFormat.header(value).layout().dtype());
    long payload = layout.withDtype(stored).bytesPerBlock();
    assertTrue(value.length > payload && value.length < payload + 400, value.length + " bytes");
  }

  @Test
  void theBytesAreThoseThatTheFormatNames() {
    KvLayout layout = new KvLayout(1, 1, 2, 1, KvDtype.F32);
    KvBlock block = new KvBlock(layout);
    block.write(0, 0, 1, new float[] {1, 2}, new float[] {3, 4}, 0);
    BlockChain chain = new BlockChain(layout, KvDtype.F32, "m", "", "", new int[] {7, 8});
    byte[] value = BlockFormat.write(block, chain, 1, NOW);
    ByteBuffer bytes = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    byte[] magic = new byte[4];
    bytes.get(magic);
    assertEquals("KV4J", new String(magic, StandardCharsets.US_ASCII));
    assertEquals(2, bytes.getInt());
    for (BlockKey key : List.of(chain.key(1), chain.key(0), chain.root())) {
      byte[] hash = new byte[BlockKey.BYTES];
      bytes.get(hash);
      assertEquals(key, BlockKey.of(hash));
    }
    assertEquals(NOW, bytes.getLong());
    for (int number : new int[] {1, 1, 2, 1, 1, 3}) {
      assertEquals(number, bytes.getInt());
    }
    byte[] dtype = new byte[3];
    bytes.get(dtype);
    assertEquals("f32", new String(dtype, StandardCharsets.US_ASCII));
    assertEquals(1, bytes.getInt());
    assertEquals('m', bytes.get());
    assertEquals(8, bytes.getInt());
    for (float number : new float[] {1, 2, 3, 4}) {
      assertEquals(number, bytes.getFloat());
    }
    CRC32C checksum = new CRC32C();
    checksum.update(value, 0, value.length - 4);
    assertEquals((int) checksum.getValue(), bytes.getInt());
    assertEquals(0, bytes.remaining());
  }

  @Test
  void noDamageGoesUnnoticed() {
    KvLayout layout = layout(KvDtype.I8);
    BlockChain chain = chain(layout);
    byte[] good = BlockFormat.write(random(layout, new Random(1)), chain, 1, NOW);
    Random random = new Random(2);
    for (int at = 0; at < good.length; at++) {
      byte[] bad = good.clone();
      bad[at] ^= (byte) (1 + random.nextInt(255));
      refused(bad, chain, 1);
      refused(Arrays.copyOf(good, at), chain, 1);
      byte[] longer = Arrays.copyOf(good, good.length + 1 + at % 9);
      refused(longer, chain, 1);
      assertThrows(IllegalArgumentException.class, () -> BlockFormat.check(bad));
    }
  }

  @Test
  void whatIsNotExpectedIsRefusedWithTheReason() {
    KvLayout layout = layout(KvDtype.F16);
    BlockChain chain = chain(layout);
    byte[] good = BlockFormat.write(random(layout, new Random(1)), chain, 1, NOW);
    String another = "a stored block is another than its key says";
    assertEquals(another, refused(good, chain, 0));
    assertEquals(another, refused(good, chain(layout(KvDtype.BF16)), 1));
    assertEquals(another, refused(good, chain(layout, KvDtype.F16, "salt"), 1));
    assertEquals("a stored block is cut short", refused(Arrays.copyOf(good, 120), chain, 1));
    byte[] newer = good.clone();
    newer[4]++;
    assertEquals("a stored block has version 3, not 2", refused(newer, chain, 1));
    byte[] flipped = good.clone();
    flipped[good.length - 9] ^= 4;
    assertEquals("a stored block is damaged: its checksum is another", refused(flipped, chain, 1));
  }

  private static String refused(byte[] value, BlockChain chain, int index) {
    return assertThrows(IllegalArgumentException.class, () -> BlockFormat.read(value, chain, index))
        .getMessage();
  }

  /** Worked out anew from what the classes say they hash. */
  @Test
  void keysAreChainedHashes() throws Exception {
    KvLayout layout = new KvLayout(1, 1, 2, 2, KvDtype.F32);
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (String part :
        List.of(
            "kv4j block key 1",
            "KvLayout[layers=1, kvHeads=1, headDim=2, blockTokens=2, dtype=f32]",
            "i8",
            "model",
            "tenant",
            "salt")) {
      digest.update(new byte[] {0, 0, 0, (byte) part.length()});
      digest.update(part.getBytes(StandardCharsets.US_ASCII));
    }
    byte[] root = digest.digest();
    digest.update(root);
    digest.update(new byte[] {0, 0, 0, 5, 0, 0, 1, 0});
    byte[] first = digest.digest();
    digest.update(first);
    digest.update(new byte[] {0, 0, 0, 7, 0, 0, 0, 8});
    byte[] second = digest.digest();
    BlockChain chain =
        new BlockChain(layout, KvDtype.I8, "model", "tenant", "salt", new int[] {5, 256, 7, 8, 9});
    assertEquals(2, chain.size());
    assertArrayEquals(root, chain.root().toBytes());
    assertArrayEquals(first, chain.key(0).toBytes());
    assertArrayEquals(second, chain.key(1).toBytes());
  }

  @Test
  void whateverDiffersGivesOtherKeys() {
    KvLayout layout = layout(KvDtype.F32);
    int[] tokens = IntStream.range(0, 64).toArray();
    int[] others = tokens.clone();
    others[0]++;
    KvDtype f32 = KvDtype.F32;
    List<BlockChain> chains =
        List.of(
            new BlockChain(layout, f32, "m", "n", "s", tokens),
            new BlockChain(layout, f32, "m", "n", "s", others),
            new BlockChain(layout, f32, "mn", "", "s", tokens),
            new BlockChain(layout, f32, "m", "ns", "", tokens),
            new BlockChain(layout, f32, "m", "n", "", tokens),
            new BlockChain(layout, KvDtype.F16, "m", "n", "s", tokens),
            new BlockChain(layout(KvDtype.I8), f32, "m", "n", "s", tokens));
    Set<BlockKey> all = new HashSet<>();
    chains.forEach(chain -> all.addAll(chain.keysFrom(0)));
    chains.forEach(chain -> all.add(chain.root()));
    assertEquals(7 * 4 + 6, all.size()); // the second differs in its tokens only
    assertEquals(
        chains.get(0).keysFrom(0).subList(1, 3),
        new BlockChain(layout, f32, "m", "n", "s", Arrays.copyOf(tokens, 63)).keysFrom(1));
    assertNotEquals(chains.get(0).key(0), null);
  }
}
