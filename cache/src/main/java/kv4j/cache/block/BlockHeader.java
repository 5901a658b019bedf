package kv4j.cache.block;

import java.util.Arrays;

/**
 * What a stored block says of itself.
 *
 * @param key its own
 * @param before that of the block before it in its chain, or the root
 * @param root what its chain begins with: one for each combination of layout, model, tenant and
 *     salt, none of which can be read from it
 * @param writtenMillis when it was written, in ms since 1970
 * @param layout of the keys and values as they are stored
 * @param model fingerprint of the model that computed them
 * @param position of its first token in the sequence
 * @param tokens their ids, {@code layout.blockTokens()}; not to be modified
 */
public record BlockHeader(
    BlockKey key,
    BlockKey before,
    BlockKey root,
    long writtenMillis,
    KvLayout layout,
    String model,
    int position,
    int[] tokens) {
  /** Whether another says the same, whenever it was written. */
  boolean names(BlockHeader other) {
    return key.equals(other.key)
        && before.equals(other.before)
        && root.equals(other.root)
        && layout.equals(other.layout)
        && model.equals(other.model)
        && position == other.position
        && Arrays.equals(tokens, other.tokens);
  }

  /** Whether its key is what its tokens and the key before them give. */
  boolean isConsistent() {
    return tokens.length == layout.blockTokens()
        && position >= 0
        && position % layout.blockTokens() == 0
        && (position > 0 || before.equals(root))
        && key.equals(before.next(tokens, 0, tokens.length));
  }
}
