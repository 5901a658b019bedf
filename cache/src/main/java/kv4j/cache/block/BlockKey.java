package kv4j.cache.block;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * Names what a block holds, for stores that outlive a process: SHA-256 over the key of the block
 * before and the block's own tokens, in a chain that begins with the layout, the model, the tenant
 * and the salt. Equal keys therefore mean equal keys and values, wherever and whenever they were
 * computed; and a salt that is not known cannot be guessed from a key. Chaining hashes of blocks is
 * how vLLM names its blocks.
 */
public final class BlockKey {
  /** Bytes of a key. */
  public static final int BYTES = 32;

  private static final String FORMAT = "kv4j block key 1";

  private final byte[] hash;

  private BlockKey(byte[] hash) {
    this.hash = hash;
  }

  /**
   * The keys of the whole blocks of a token sequence, in order.
   *
   * @param layout which keys and values of different layouts do not share
   * @param model fingerprint of the model that computes them
   * @param namespace tenant
   * @param salt a secret; empty: none
   * @param tokens ids from position 0 on
   */
  public static List<BlockKey> ofBlocks(
      KvLayout layout, String model, String namespace, String salt, int[] tokens) {
    List<BlockKey> keys = new ArrayList<>();
    BlockKey before = beforeAll(layout, model, namespace, salt);
    int size = layout.blockTokens();
    for (int from = 0; from + size <= tokens.length; from += size) {
      before = before.next(tokens, from, from + size);
      keys.add(before);
    }
    return keys;
  }

  /** What the key of a sequence's first block is chained to. */
  public static BlockKey beforeAll(KvLayout layout, String model, String namespace, String salt) {
    MessageDigest digest = sha256();
    for (String part : List.of(FORMAT, layout.toString(), model, namespace, salt)) {
      byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
      digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
      digest.update(bytes);
    }
    return new BlockKey(digest.digest());
  }

  /** The key of the block that follows this one and holds the tokens {@code [from, to)}. */
  public BlockKey next(int[] tokens, int from, int to) {
    ByteBuffer bytes = ByteBuffer.allocate((to - from) * Integer.BYTES);
    bytes.asIntBuffer().put(tokens, from, to - from);
    MessageDigest digest = sha256();
    digest.update(hash);
    return new BlockKey(digest.digest(bytes.array()));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) { // every JVM has it
      throw new IllegalStateException(e);
    }
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
