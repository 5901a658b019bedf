package kv4j.cache.infinispan;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import kv4j.cache.block.BlockKey;

/** Keys and values that are told from each other by numbers alone, in whatever process. */
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
    return value(number, 0, bytes);
  }

  /**
   * One of the values that a key may have.
   *
   * @param version which one; can be read from it, if it has 8 bytes or more
   */
  static byte[] value(int number, int version, int bytes) {
    byte[] value = new byte[bytes];
    new Random(31L * number + version).nextBytes(value);
    if (bytes >= 2 * Integer.BYTES) {
      ByteBuffer.wrap(value).putInt(number).putInt(version);
    }
    return value;
  }

  /** The version that a value is, or -1 if it is none of its number. */
  static int version(int number, byte[] value) {
    int version = ByteBuffer.wrap(value).getInt(Integer.BYTES);
    return Arrays.equals(value, value(number, version, value.length)) ? version : -1;
  }
}
