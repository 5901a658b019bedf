package kv4j.cache.block;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Names what a block holds, for stores that outlive a process: SHA-256 over the key of the block
 * before and the block's own tokens, in a chain that begins with what {@link BlockChain} says.
 * Equal keys therefore mean equal keys and values, wherever and whenever they were computed.
 * Chaining hashes of blocks is how vLLM names its blocks.
 */
public final class BlockKey {
  /** Bytes of a key. */
  public static final int BYTES = 32;

  private final byte[] hash;

  private BlockKey(byte[] hash) {
    this.hash = hash;
  }

  /**
   * A key from its hash.
   *
   * @throws IllegalArgumentException if it has another length than {@value #BYTES} bytes
   */
  public static BlockKey of(byte[] hash) {
    if (hash.length != BYTES) {
      throw new IllegalArgumentException("a key has " + BYTES + " bytes, not " + hash.length);
    }
    return new BlockKey(hash.clone());
  }

  /** A key from what is hashed to it. */
  static BlockKey ofHashed(MessageDigest digest) {
    return new BlockKey(digest.digest());
  }

  /** The key of the block that follows this one and holds the tokens {@code [from, to)}. */
  BlockKey next(int[] tokens, int from, int to) {
    ByteBuffer bytes = ByteBuffer.allocate((to - from) * Integer.BYTES);
    bytes.asIntBuffer().put(tokens, from, to - from);
    MessageDigest digest = sha256();
    digest.update(hash);
    digest.update(bytes.array());
    return ofHashed(digest);
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) { // every JVM has it
      throw new IllegalStateException(e);
    }
  }

  /** The hash, {@value #BYTES} bytes; a copy. */
  public byte[] toBytes() {
    return hash.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BlockKey key && Arrays.equals(hash, key.hash);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(hash);
  }

  /** In hexadecimal. */
  @Override
  public String toString() {
    return HexFormat.of().formatHex(hash);
  }
}
