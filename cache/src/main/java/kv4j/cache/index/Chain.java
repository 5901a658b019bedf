package kv4j.cache.index;

import java.util.List;

/**
 * Blocks that follow each other, and the tokens that lead to them.
 *
 * @param space whose
 * @param tokens ids from position 0 on, up to the end of the last block or somewhere inside of it
 * @param firstBlock which block of the sequence the first of these is
 * @param blocks in order; all full but perhaps the last
 */
public record Chain<B>(Keyspace space, int[] tokens, int firstBlock, List<B> blocks) {}
