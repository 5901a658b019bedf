package kv4j.cache.block;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The whole blocks of a token sequence as stores know them: a key for each, which depends on its
 * tokens, on all before them, and on what keys and values depend on besides: the layout, how many
 * bits a store keeps, the model, the tenant and the salt. A salt that is not known cannot be told
 * from the keys but by trying, so it should be long.
 */
public final class BlockChain {
  private static final String FORMAT = "kv4j block key 1";

  private final KvLayout layout;
  private final KvLayout stored;
  private final String model;
  private final int[] tokens;
  private final List<BlockKey> keys; // the root before them

  /**
   * @param layout of the cache, whose dtype attention has read
   * @param dtype how a store keeps numbers
   * @param model fingerprint of the model that computes keys and values
   * @param namespace tenant
   * @param salt a secret; empty: none
   * @param tokens ids from position 0 on; those after the last whole block are ignored
   */
  public BlockChain(
      KvLayout layout, KvDtype dtype, String model, String namespace, String salt, int[] tokens) {
    this.layout = layout;
    stored = layout.withDtype(dtype);
    this.model = model;
    int size = layout.blockTokens();
    int whole = tokens.length / size;
    this.tokens = Arrays.copyOf(tokens, whole * size);
    keys = new ArrayList<>(whole + 1);
    keys.add(root(layout, dtype, model, namespace, salt));
    for (int i = 0; i < whole; i++) {
      keys.add(keys.get(i).next(tokens, i * size, (i + 1) * size));
    }
  }

  /** What the key of a sequence's first block is chained to. */
  private static BlockKey root(
      KvLayout layout, KvDtype dtype, String model, String namespace, String salt) {
    MessageDigest digest = BlockKey.sha256();
    for (String part :
        List.of(FORMAT, layout.toString(), dtype.toString(), model, namespace, salt)) {
      byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
      digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
      digest.update(bytes);
    }
    return BlockKey.ofHashed(digest);
  }

  /** What the chain begins with, before any token. */
  public BlockKey root() {
    return keys.get(0);
  }

  /** How many blocks. */
  public int size() {
    return keys.size() - 1;
  }

  /** The key of a block. */
  public BlockKey key(int block) {
    return keys.get(block + 1);
  }

  /** The keys of all blocks from one on, in order. */
  public List<BlockKey> keysFrom(int block) {
    return List.copyOf(keys.subList(block + 1, keys.size()));
  }

  /** The layout of blocks in a cache. */
  public KvLayout layout() {
    return layout;
  }

  /** What a store is to say of a block. */
  BlockHeader header(int block, long writtenMillis) {
    int size = layout.blockTokens();
    return new BlockHeader(
        key(block),
        keys.get(block),
        root(),
        writtenMillis,
        stored,
        model,
        block * size,
        Arrays.copyOfRange(tokens, block * size, (block + 1) * size));
  }
}
