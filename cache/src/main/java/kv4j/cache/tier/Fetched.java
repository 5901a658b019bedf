package kv4j.cache.tier;

import java.util.List;
import java.util.Optional;
import kv4j.cache.Lookup;
import kv4j.cache.block.KvBlock;

/**
 * What a store gave.
 *
 * @param blocks in order, from the first that was asked for
 * @param reason why not all; empty if they were all, or the store has no more
 */
public record Fetched(List<KvBlock> blocks, Optional<Lookup.Reason> reason) {
  static final Fetched NOTHING = new Fetched(List.of(), Optional.empty());

  static Fetched nothing(Lookup.Reason reason) {
    return new Fetched(List.of(), Optional.of(reason));
  }
}
