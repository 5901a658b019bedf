package kv4j.cache.store;

/**
 * What a cache has asked of the store behind it and put there, since the cache was made. Each
 * request for which a store could have had whole blocks that memory had not is counted once: as
 * asked, or as not asked.
 *
 * @param asked requests for which the store was asked for a chain of blocks
 * @param hits of these, those that got at least one block
 * @param askedTokens tokens of the blocks that were asked for
 * @param hitTokens tokens of those that were read, up to the first that was missing, late or wrong
 * @param readBytes of these blocks, as the store keeps them
 * @param readNanos time from asking to the last block that was waited for, over all who asked
 * @param notOpen requests that came before the store was open
 * @param slower requests for which reading was expected to take longer than computing
 * @param late requests that did not get in time what they had asked for
 * @param damaged values that were not what had been put there; they were removed
 * @param failed questions to which the store answered with an error
 * @param written blocks that the store has taken
 * @param writtenBytes of these
 * @param writeNanos time from handing a block over to the store having it
 * @param writeFailed blocks that the store did not take
 * @param dropped blocks that were not offered to it, too many waiting already
 * @param queuedBytes of blocks that wait to be written, as memory keeps them
 * @param readNanosPerToken what reading a token takes now; 0: not known
 * @param computeNanosPerToken what computing one in a prefill takes now; 0: not known
 */
public record StoreStats(
    long asked,
    long hits,
    long askedTokens,
    long hitTokens,
    long readBytes,
    long readNanos,
    long notOpen,
    long slower,
    long late,
    long damaged,
    long failed,
    long written,
    long writtenBytes,
    long writeNanos,
    long writeFailed,
    long dropped,
    long queuedBytes,
    double readNanosPerToken,
    double computeNanosPerToken) {}
