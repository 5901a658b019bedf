package kv4j.cache.block;

/**
 * The one layout of keys and values in a cache: what a block holds and in which order.
 *
 * <p>A block holds {@code blockTokens} consecutive tokens of every layer, on the Java heap. For
 * each layer it has one array of keys and one of values, both split by KV head first, {@link
 * #headStride()} elements a head:
 *
 * <ul>
 *   <li>keys: {@code [kvHeads, tiles, headDim, tileTokens]}: within a tile, the same dimension of
 *       consecutive tokens lies side by side, so that a vector register holds one dimension of many
 *       keys and a dot product needs no horizontal sum. A tile begins at every multiple of {@code
 *       headDim * tileTokens} elements.
 *   <li>values: {@code [kvHeads, blockTokens, headDim]}: a token's value vector is contiguous.
 * </ul>
 *
 * <p>A tile is {@value #TILE} tokens where {@code blockTokens} is a multiple of that, and else the
 * whole block (kernels may then take a slower path).
 *
 * @param layers attention layers
 * @param kvHeads key/value heads per layer
 * @param headDim elements of one head's key or value
 * @param blockTokens tokens in a full block
 * @param dtype how each element is kept
 */
public record KvLayout(int layers, int kvHeads, int headDim, int blockTokens, KvDtype dtype) {
  /** Tokens in a tile of keys: 16 floats are one AVX-512 register, two AVX2 or four NEON ones. */
  public static final int TILE = 16;

  public KvLayout {
    if (layers < 1 || kvHeads < 1 || headDim < 1) {
      throw new IllegalArgumentException(
          "layers, KV heads and head size must be at least 1, not "
              + layers
              + ", "
              + kvHeads
              + " and "
              + headDim);
    }
    if (blockTokens < 1) {
      throw new IllegalArgumentException("block size must be at least 1 token, not " + blockTokens);
    }
  }

  /** The same with elements kept otherwise. */
  public KvLayout withDtype(KvDtype other) {
    return new KvLayout(layers, kvHeads, headDim, blockTokens, other);
  }

  /** Elements of one token's keys (or values) in one layer: {@code kvHeads * headDim}. */
  public int width() {
    return kvHeads * headDim;
  }

  /** Tokens in one tile of keys. */
  public int tileTokens() {
    return blockTokens % TILE == 0 ? TILE : blockTokens;
  }

  /**
   * Elements between one head's keys (or values) and the next head's, within a layer of a block.
   */
  public int headStride() {
    return blockTokens * headDim;
  }

  /** Bytes of one full block: keys and values of all layers. */
  public long bytesPerBlock() {
    return bytesPerToken() * blockTokens;
  }

  /** Bytes of one token's keys and values in all layers, scales included. */
  public long bytesPerToken() {
    long vectorBytes = (long) headDim * dtype.bytesPerElement() + dtype.bytesPerScale();
    return 2L * layers * kvHeads * vectorBytes;
  }

  /** Blocks that {@code tokens} tokens need. */
  public int blocksFor(int tokens) {
    return (tokens + blockTokens - 1) / blockTokens;
  }
}
