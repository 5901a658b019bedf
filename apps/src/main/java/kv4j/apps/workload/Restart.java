package kv4j.apps.workload;

/**
 * What requests found in a store after a restart: one request had run before, then cache and store
 * were closed and opened anew, and each of the others was the first on an empty memory.
 *
 * @param store which, as it was asked for
 * @param requests that ran afterwards
 * @param openMs from opening the store for the second time to its being ready
 * @param promptTokens of these requests
 * @param storeTokens those of them that were read from the store
 * @param readBytesPerSecond bytes of blocks ÷ time from asking to the last one
 * @param computedTtftMs time to first token without a prefix cache
 * @param storedTtftMs time to first token with what was in the store, reading included
 * @param speedup total of the former ÷ total of the latter
 * @param ceiling what the speedup would be if reading took no time
 * @param exact whether the store keeps as many bits as the cache
 * @param identicalTokens whether all tokens were those without a cache
 */
public record Restart(
    String store,
    int requests,
    double openMs,
    long promptTokens,
    long storeTokens,
    double readBytesPerSecond,
    Spread computedTtftMs,
    Spread storedTtftMs,
    double speedup,
    double ceiling,
    boolean exact,
    boolean identicalTokens) {}
