package kv4j.cache.index;

import kv4j.cache.EvictionPolicy;

/**
 * What a {@link PrefixIndex} may keep.
 *
 * @param blockTokens tokens in a full block
 * @param maxBytes most bytes kept
 * @param policy which node makes room for others
 * @param timeToLive nanoseconds a block may be kept; 0: for ever
 * @param refreshOnHit whether that time begins anew each time a block is used
 */
public record Limits(
    int blockTokens, long maxBytes, EvictionPolicy policy, long timeToLive, boolean refreshOnHit) {
  public Limits {
    if (blockTokens < 1 || maxBytes < 1 || timeToLive < 0) {
      throw new IllegalArgumentException(
          "block size and size limit must be at least 1 and the time to live at least 0, not "
              + blockTokens
              + ", "
              + maxBytes
              + " and "
              + timeToLive);
    }
  }
}
