package kv4j.apps.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import kv4j.cache.block.BlockHeader;
import kv4j.cache.block.BlockKey;
import kv4j.cache.block.KvLayout;

/**
 * What is in a place, without the keys and values: blocks, which of them follows which, and values
 * that are no blocks or not what was put there.
 */
public final class Inventory {
  private final BlockCheck check;
  private final Map<BlockKey, Block> blocks = new LinkedHashMap<>();
  private final Map<BlockKey, List<Block>> followers = new HashMap<>();
  private final List<Damaged> damaged = new ArrayList<>();
  private final List<String> foreign = new ArrayList<>();

  /**
   * A block.
   *
   * @param before key of the one before it, or what its chain begins with
   * @param root what its chain begins with
   * @param writtenMillis when it was written, in ms since 1970
   * @param layout as it is stored
   * @param model fingerprint
   * @param position of its first token
   * @param bytes that the value takes
   */
  public record Block(
      BlockKey key,
      BlockKey before,
      BlockKey root,
      long writtenMillis,
      KvLayout layout,
      String model,
      int position,
      long bytes) {
    /** The position after its last token. */
    public int end() {
      return position + layout.blockTokens();
    }
  }

  /**
   * A value that is of no use.
   *
   * @param bytes that it takes
   * @param problem what is wrong with it
   */
  public record Damaged(BlockKey key, long bytes, String problem) {}

  /**
   * Blocks from the beginning of a sequence to one that none follows.
   *
   * @param last the last one
   * @param own how many of its last blocks are in no chain that is listed before it
   * @param bytes of these
   * @param whole whether none is missing, without which no request finds what follows
   */
  public record Chain(Block last, int own, long bytes, boolean whole) {}

  Inventory(BlockCheck check) {
    this.check = check;
  }

  /** Reads and checks all there is. */
  static Inventory of(BlockPlace place, BlockCheck check) throws IOException {
    Inventory inventory = new Inventory(check);
    place.forEach(inventory::add);
    inventory.requireReadable();
    return inventory;
  }

  /**
   * Refuses what is encrypted otherwise than is said.
   *
   * @throws IllegalArgumentException if that is all there is
   */
  void requireReadable() {
    if (blocks.isEmpty() && !foreign.isEmpty()) {
      throw new IllegalArgumentException(foreign.get(0));
    }
  }

  /** Takes a value in. */
  void add(BlockKey key, byte[] value) {
    try {
      BlockHeader header = check.check(key, value);
      Block block =
          new Block(
              key,
              header.before(),
              header.root(),
              header.writtenMillis(),
              header.layout(),
              header.model(),
              header.position(),
              value.length);
      blocks.put(key, block);
      followers.computeIfAbsent(block.before, before -> new ArrayList<>()).add(block);
    } catch (BlockCheck.WrongSecretException e) {
      foreign.add(e.getMessage());
    } catch (IllegalArgumentException e) {
      damaged.add(new Damaged(key, value.length, e.getMessage()));
    }
  }

  /** All blocks that are as they should be. */
  public Stream<Block> blocks() {
    return blocks.values().stream();
  }

  /** All values that are not. */
  public List<Damaged> damaged() {
    return damaged;
  }

  /** How many values are encrypted otherwise than is said, and are therefore left alone. */
  public int foreign() {
    return foreign.size();
  }

  /** The block before another; null if there is none, be it that it is missing. */
  Block before(Block block) {
    return blocks.get(block.before);
  }

  /** The blocks that follow one. */
  List<Block> followers(Block block) {
    return followers.getOrDefault(block.key, List.of());
  }

  /**
   * Some of the blocks as chains, the latest first within each model and tenant.
   *
   * @param some keys of blocks
   */
  public List<Chain> chains(Set<BlockKey> some) {
    Set<Block> whole = new HashSet<>();
    blocks.values().stream()
        .sorted(Comparator.comparingInt(Block::position))
        .filter(block -> block.position == 0 || whole.contains(before(block)))
        .forEach(whole::add);
    Set<Block> listed = new HashSet<>();
    return blocks.values().stream()
        .filter(block -> some.contains(block.key))
        .filter(block -> followers(block).stream().noneMatch(next -> some.contains(next.key)))
        .sorted(
            Comparator.comparing(Block::model)
                .thenComparing(block -> block.layout.toString())
                .thenComparing(block -> block.root.toString())
                .thenComparing(Comparator.comparingLong(Block::writtenMillis).reversed())
                .thenComparing(block -> block.key.toString()))
        .map(last -> chain(last, some, listed, whole.contains(last)))
        .toList();
  }

  private Chain chain(Block last, Set<BlockKey> some, Set<Block> listed, boolean whole) {
    int own = 0;
    long bytes = 0;
    for (Block block = last;
        block != null && some.contains(block.key) && listed.add(block);
        block = before(block)) {
      own++;
      bytes += block.bytes;
    }
    return new Chain(last, own, bytes, whole);
  }
}
