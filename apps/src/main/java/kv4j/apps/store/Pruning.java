package kv4j.apps.store;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import kv4j.apps.store.Inventory.Block;
import kv4j.cache.block.BlockKey;

/**
 * What is to go of the blocks in a place. What something goes on from that is to stay, stays too.
 *
 * @param olderThan only what was written so long ago; empty: however new
 * @param toBytes no more than is needed for what is left to take so much, the oldest first; empty:
 *     all
 */
public record Pruning(Optional<Duration> olderThan, Optional<Long> toBytes) {
  /** Whether anything is asked for besides a selection. */
  public boolean isLimited() {
    return olderThan.isPresent() || toBytes.isPresent();
  }

  /**
   * The blocks that are to go, none before those that follow it.
   *
   * @param some keys of those that may go
   * @param nowMillis ms since 1970
   */
  public List<Block> of(Inventory inventory, Set<BlockKey> some, long nowMillis) {
    long latest = olderThan.map(age -> nowMillis - age.toMillis()).orElse(Long.MAX_VALUE);
    Map<BlockKey, Long> written = new HashMap<>(); // the newest of a block and all that follows
    List<Block> candidates = new ArrayList<>();
    List<Block> lastFirst =
        inventory.blocks().sorted(Comparator.comparingInt(Block::position).reversed()).toList();
    for (Block block : lastFirst) {
      long newest = some.contains(block.key()) ? block.writtenMillis() : Long.MAX_VALUE;
      for (Block next : inventory.followers(block)) {
        newest = Math.max(newest, written.get(next.key()));
      }
      written.put(block.key(), newest);
      if (newest < latest) {
        candidates.add(block);
      }
    }
    if (toBytes.isEmpty()) {
      return candidates;
    }
    candidates.sort(Comparator.comparingLong(block -> written.get(block.key()))); // is stable
    long bytes =
        inventory.blocks().filter(b -> some.contains(b.key())).mapToLong(Block::bytes).sum();
    List<Block> gone = new ArrayList<>();
    for (Block block : candidates) {
      if (bytes <= toBytes.get()) {
        break;
      }
      gone.add(block);
      bytes -= block.bytes();
    }
    return gone;
  }
}
