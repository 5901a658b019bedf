package kv4j.cache.infinispan;

import java.nio.ByteBuffer;
import java.util.Random;
import kv4j.cache.block.BlockKey;

/** Keys and values that are told from each other by a number alone, in whatever process. */
final class Samples {
  /** Bytes of a value as blocks of shape S have it. */
  static final int BLOCK_BYTES = 512 << 10;

  private Samples() {}

  static BlockKey key(int number) {
    byte[] bytes = new byte[BlockKey.BYTES];
    new Random(number).nextBytes(bytes);
    return BlockKey.of(ByteBuffer.wrap(bytes).putInt(number).array());
  }

  static int number(BlockKey key) {
    return ByteBuffer.wrap(key.toBytes()).getInt();
  }

  static byte[] value(int number, int bytes) {
    byte[] value = new byte[bytes];
    new Random(~number).nextBytes(value);
    return value;
  }
}
