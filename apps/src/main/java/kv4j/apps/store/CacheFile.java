package kv4j.apps.store;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import kv4j.cache.block.BlockChain;
import kv4j.cache.block.BlockFormat;
import kv4j.cache.block.BlockHeader;
import kv4j.cache.block.BlockKey;
import kv4j.cache.block.KvBlock;
import kv4j.cache.index.Chain;
import kv4j.cache.index.Keyspace;
import kv4j.cache.radix.RadixKvCache;
import kv4j.cache.store.ValueCipher;

/** Carries what a cache has in memory to a file, and back. */
public final class CacheFile {
  private final RadixKvCache cache;
  private final ArchivePlace file;
  private final Optional<ValueCipher> cipher;
  private final BlockCheck check;

  /**
   * What went into a file.
   *
   * @param blocks whole ones
   * @param bytes of the file
   */
  public record Saved(int blocks, long bytes) {}

  /**
   * What came out of a file.
   *
   * @param blocks in memory now, some of which may have been there before
   * @param otherModel blocks that this cache has no use for, be it their model or their layout
   * @param otherTenant blocks of tenants or salts that nobody has named
   * @param missing blocks without all of those before them
   * @param noRoom blocks beyond the cache's limit
   */
  public record Loaded(int blocks, int otherModel, int otherTenant, int missing, int noRoom) {}

  /** Where in which chain a block is. */
  private record Spot(BlockChain chain, int index) {}

  /**
   * @param cipher encrypts what is in the file; empty: it is not encrypted
   */
  public CacheFile(RadixKvCache cache, Path file, Optional<ValueCipher> cipher) {
    this.cache = cache;
    this.file = new ArchivePlace(file);
    this.cipher = cipher;
    check = new BlockCheck(cipher);
  }

  /**
   * Writes all whole blocks that are in memory.
   *
   * @throws IllegalArgumentException if the file cannot be written
   */
  public Saved save() {
    int[] blocks = new int[1];
    long bytes =
        file.write(
            visitor -> {
              for (Chain<KvBlock> chain : cache.chains()) {
                blocks[0] += write(chain, visitor);
              }
            });
    return new Saved(blocks[0], bytes);
  }

  private int write(Chain<KvBlock> blocks, BiConsumer<BlockKey, byte[]> visitor) {
    BlockChain chain = chain(blocks.space(), blocks.tokens());
    for (int i = blocks.firstBlock(); i < chain.size(); i++) {
      KvBlock block = blocks.blocks().get(i - blocks.firstBlock());
      byte[] value = BlockFormat.write(block, chain, i, System.currentTimeMillis());
      BlockKey key = chain.key(i);
      visitor.accept(key, cipher.map(c -> c.encrypt(key, value)).orElse(value));
    }
    return Math.max(0, chain.size() - blocks.firstBlock());
  }

  private BlockChain chain(Keyspace space, int[] tokens) {
    return new BlockChain(
        cache.layout(),
        cache.layout().dtype(),
        space.model(),
        space.namespace(),
        space.salt(),
        tokens);
  }

  /**
   * Brings into memory what the file has for this cache, as if it had been computed.
   *
   * @param spaces whose blocks are wanted
   * @param label kept with what is loaded, for people
   * @throws IllegalArgumentException with one sentence, before anything is loaded, if the file is
   *     not there, not whole or encrypted otherwise
   */
  public Loaded load(Collection<Keyspace> spaces, String label) throws IOException {
    Map<BlockKey, BlockHeader> headers = new LinkedHashMap<>();
    file.forEach((key, value) -> headers.put(key, check.check(key, value)));
    int all = headers.size();
    headers.values().removeIf(header -> !isForThisCache(header, spaces));
    int otherModel = all - headers.size();
    Map<BlockKey, Keyspace> owners = owners(headers.values(), spaces);
    headers.values().removeIf(header -> !owners.containsKey(header.root()));
    int otherTenant = all - otherModel - headers.size();

    List<Chain<BlockKey>> chains = new ArrayList<>();
    Map<BlockKey, Spot> spots = new HashMap<>();
    for (BlockHeader last : ends(headers.values())) {
      path(last, headers).ifPresent(path -> add(path, owners.get(last.root()), chains, spots));
    }
    Map<BlockKey, KvBlock> blocks = read(spots);
    Set<BlockKey> loaded = new HashSet<>();
    chains.forEach(chain -> loaded.addAll(adopt(chain, blocks, label)));
    int missing = headers.size() - spots.size();
    return new Loaded(
        loaded.size(), otherModel, otherTenant, missing, spots.size() - loaded.size());
  }

  private boolean isForThisCache(BlockHeader header, Collection<Keyspace> spaces) {
    boolean layout = header.layout().equals(cache.layout());
    return layout && spaces.stream().anyMatch(space -> space.model().equals(header.model()));
  }

  /** Whose chains begin with which hash, as far as it is one of those. */
  private Map<BlockKey, Keyspace> owners(
      Collection<BlockHeader> headers, Collection<Keyspace> spaces) {
    Map<BlockKey, Keyspace> owners = new HashMap<>();
    for (BlockHeader header : headers) {
      if (header.position() == 0 && !owners.containsKey(header.root())) {
        spaces.stream()
            .filter(space -> chain(space, header.tokens()).key(0).equals(header.key()))
            .findFirst()
            .ifPresent(space -> owners.put(header.root(), space));
      }
    }
    return owners;
  }

  /** Blocks that none follows. */
  private static List<BlockHeader> ends(Collection<BlockHeader> headers) {
    Set<BlockKey> followed = new HashSet<>();
    headers.forEach(header -> followed.add(header.before()));
    return headers.stream().filter(header -> !followed.contains(header.key())).toList();
  }

  /** A block and all before it, in order; empty if one of them is missing. */
  private static Optional<List<BlockHeader>> path(
      BlockHeader last, Map<BlockKey, BlockHeader> headers) {
    List<BlockHeader> path = new ArrayList<>();
    for (BlockHeader header = last; header != null; header = headers.get(header.before())) {
      path.add(0, header);
    }
    return path.get(0).position() == 0 ? Optional.of(path) : Optional.empty();
  }

  private void add(
      List<BlockHeader> path,
      Keyspace space,
      List<Chain<BlockKey>> chains,
      Map<BlockKey, Spot> spots) {
    int[] tokens = path.stream().flatMapToInt(header -> Arrays.stream(header.tokens())).toArray();
    BlockChain chain = chain(space, tokens);
    for (int i = 0; i < chain.size(); i++) {
      spots.putIfAbsent(chain.key(i), new Spot(chain, i));
    }
    chains.add(new Chain<>(space, tokens, 0, chain.keysFrom(0)));
  }

  /** As many blocks as the cache may hold. */
  private Map<BlockKey, KvBlock> read(Map<BlockKey, Spot> spots) throws IOException {
    Map<BlockKey, KvBlock> blocks = new HashMap<>();
    file.forEach(
        (key, value) -> {
          Spot spot = spots.get(key);
          int tokens = (blocks.size() + 1) * cache.layout().blockTokens();
          if (spot != null && cache.canHold(tokens)) {
            blocks.put(key, BlockFormat.read(check.plain(key, value), spot.chain, spot.index));
          }
        });
    return blocks;
  }

  /** Has the cache adopt a chain up to the first block that was not read. */
  private List<BlockKey> adopt(Chain<BlockKey> chain, Map<BlockKey, KvBlock> read, String label) {
    List<BlockKey> keys = chain.blocks();
    List<KvBlock> blocks = keys.stream().takeWhile(read::containsKey).map(read::get).toList();
    if (blocks.isEmpty()) {
      return List.of();
    }
    int end = blocks.size() * cache.layout().blockTokens();
    int[] tokens = Arrays.copyOf(chain.tokens(), end);
    return keys.subList(0, cache.adopt(new Chain<>(chain.space(), tokens, 0, blocks), label));
  }
}
