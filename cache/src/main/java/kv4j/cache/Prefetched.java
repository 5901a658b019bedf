package kv4j.cache;

import java.util.Objects;
import java.util.Optional;

/**
 * What {@link KvCache#prefetch} brought into memory for a request.
 *
 * @param memoryTokens leading tokens that were there already, in whole blocks
 * @param storeTokens those after them that were read from a store
 * @param reason why not more were read; empty if the store had no more, or there is none
 */
public record Prefetched(int memoryTokens, int storeTokens, Optional<Lookup.Reason> reason) {
  /** Nothing was brought. */
  public static final Prefetched NOTHING = new Prefetched(0, 0, Optional.empty());

  public Prefetched {
    Objects.requireNonNull(reason);
    if (memoryTokens < 0 || storeTokens < 0) {
      throw new IllegalArgumentException(
          memoryTokens + " tokens in memory and " + storeTokens + " read");
    }
  }

  /** Tokens in memory afterwards. */
  int end() {
    return memoryTokens + storeTokens;
  }

  /**
   * What a lookup found, with what is known from the store.
   *
   * @param blockTokens tokens in a block
   */
  public Lookup explain(Lookup found, int blockTokens) {
    int read = Math.max(0, Math.min(storeTokens, found.cachedTokens() - memoryTokens));
    boolean endsHere =
        found.reason() != Lookup.Reason.FULL && found.cachedTokens() < end() + blockTokens;
    return found.fromStore(read, endsHere ? reason.orElse(found.reason()) : found.reason());
  }
}
