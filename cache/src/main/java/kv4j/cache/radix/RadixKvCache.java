package kv4j.cache.radix;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Prefetched;
import kv4j.cache.TreePrinter;
import kv4j.cache.TreeSnapshot;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;
import kv4j.cache.index.Chain;
import kv4j.cache.index.Keyspace;
import kv4j.cache.index.Limits;
import kv4j.cache.index.PrefixIndex;
import kv4j.cache.tier.StoreTier;

/**
 * The automatic prefix cache: finds the longest prefix that a prompt shares with anything committed
 * before, whoever computed it, and keeps what is used within a byte budget.
 *
 * <p>Whole blocks are shared with the sequence that asks; the cached part of a partly matching
 * block is copied once into the sequence's own block. What a sequence computes becomes shared when
 * it is committed, without copying. Several threads may use the cache; how it locks is said in
 * {@link PrefixIndex}, and the copying happens outside of the lock.
 */
public final class RadixKvCache implements KvCache {
  private final KvLayout layout;
  private final PrefixIndex<KvBlock> index;
  private final KvCacheConfig config;
  private final Optional<StoreTier> tier;

  /**
   * @throws IllegalArgumentException if the size limit is below one block
   */
  public RadixKvCache(KvCacheConfig config) {
    layout = config.layout();
    this.config = config;
    long blockBytes = layout.bytesPerBlock();
    if (config.maxBytes() < blockBytes) {
      throw new IllegalArgumentException(
          "the cache's size limit of "
              + config.maxBytes()
              + " bytes is below one block of "
              + blockBytes
              + " bytes");
    }
    tier = config.store().map(store -> new StoreTier(store, layout));
    index =
        new PrefixIndex<>(
            new Limits(
                layout.blockTokens(),
                config.maxBytes(),
                config.policy(),
                config.timeToLive().map(TimeUnit.NANOSECONDS::convert).orElse(0L),
                config.refreshOnHit()),
            block -> blockBytes,
            config.ticker()::read,
            this::tell,
            tier.filter(store -> !store.wantsCommitted()).map(store -> store::offer));
  }

  private void tell(CacheEvent event) {
    FlightEvents.record(event);
    config.tell(event);
  }

  @Override
  public KvLayout layout() {
    return layout;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalStateException if the cache is closed
   */
  @Override
  public KvSequence open(KvRequest request) {
    KvRequest prefetched =
        request.prefetched().isEmpty() && tier.isPresent()
            ? request.withPrefetched(prefetch(request).join())
            : request;
    FlightEvents.TimedLookup flight = FlightEvents.begin();
    long begin = System.nanoTime();
    PrefixIndex.Match<KvBlock> match = match(prefetched, true);
    KvSequence sequence = start(Keyspace.of(request), match);
    record(request, match, flight, begin);
    return sequence;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalStateException if the cache is closed
   */
  @Override
  public Optional<KvSequence> tryOpen(KvRequest request, boolean again) {
    FlightEvents.TimedLookup flight = FlightEvents.begin();
    long begin = System.nanoTime();
    PrefixIndex.Match<KvBlock> match = match(request, !again);
    int own = layout.blocksFor(request.prompt().length) - match.shared().size();
    if (!index.reserveOrLeave(match.lease(), own * layout.bytesPerBlock())) {
      match.lease().close();
      return Optional.empty();
    }
    KvSequence sequence = start(Keyspace.of(request), match);
    if (!again) {
      record(request, match, flight, begin);
    }
    return Optional.of(sequence);
  }

  private PrefixIndex.Match<KvBlock> match(KvRequest request, boolean hit) {
    PrefixIndex.Match<KvBlock> match =
        index.match(Keyspace.of(request), request.label(), request.prompt(), hit);
    return request
        .prefetched()
        .map(p -> match.explained(p.explain(match.lookup(), layout.blockTokens())))
        .orElse(match);
  }

  /**
   * {@inheritDoc}
   *
   * <p>What was read enters the tree as if it had been computed.
   */
  @Override
  public CompletableFuture<Prefetched> prefetch(KvRequest request) {
    if (tier.isEmpty()) {
      return CompletableFuture.completedFuture(Prefetched.NOTHING);
    }
    int[] reusable = Arrays.copyOf(request.prompt(), request.prompt().length - 1);
    Keyspace space = Keyspace.of(request);
    int inMemory = index.cachedTokens(space, request.prompt()) / layout.blockTokens();
    return tier.get()
        .fetch(space, reusable, inMemory)
        .thenApply(
            fetched -> {
              int end = (inMemory + fetched.blocks().size()) * layout.blockTokens();
              int[] tokens = Arrays.copyOf(reusable, end);
              Chain<KvBlock> read = new Chain<>(space, tokens, inMemory, fetched.blocks());
              int kept = read.blocks().isEmpty() ? 0 : adopt(read, request.label());
              return new Prefetched(
                  inMemory * layout.blockTokens(), kept * layout.blockTokens(), fetched.reason());
            });
  }

  /**
   * Adopts blocks that were computed at another time or place, as far as there is room.
   *
   * @param chain full blocks in this cache's layout, and the tokens up to the end of the last
   * @param label kept with them, for people
   * @return how many of them, from the first on, are in memory now; 0 if those before are not
   * @throws IllegalArgumentException if tokens and blocks do not end together
   */
  public int adopt(Chain<KvBlock> chain, String label) {
    return index.adopt(chain, label);
  }

  private void record(
      KvRequest request,
      PrefixIndex.Match<KvBlock> match,
      FlightEvents.TimedLookup flight,
      long begin) {
    flight.finish(request.namespace(), match.lookup());
    index.record(match, System.nanoTime() - begin);
  }

  @Override
  public OptionalInt cachedTokens(KvRequest request) {
    return OptionalInt.of(index.cachedTokens(Keyspace.of(request), request.prompt()));
  }

  @Override
  public boolean canHold(int tokens) {
    return layout.blocksFor(tokens) * layout.bytesPerBlock() <= config.maxBytes();
  }

  private KvSequence start(Keyspace space, PrefixIndex.Match<KvBlock> match) {
    List<KvBlock> blocks = new ArrayList<>(match.shared());
    try {
      if (match.partial() != null) {
        KvBlock own = new KvBlock(layout);
        match.partial().copyTo(own, match.lookup().cachedTokens() % layout.blockTokens());
        blocks.add(own);
      }
      return new RadixSequence(index, tier, space, match.lookup(), match.lease(), blocks, layout);
    } catch (OutOfMemoryError e) { // the one thing that fails here: the pins must not outlive it
      match.lease().close();
      throw e;
    }
  }

  /**
   * Pins what is stored of a prefix, in whole blocks, so that it is neither evicted nor expires. It
   * must have been computed before: run it as a prompt.
   *
   * @param prefix the tokens, as its prompt, and whose they are
   * @return the tokens pinned, a multiple of the block size; 0 if not one block is stored, and then
   *     the name stays free
   * @throws IllegalArgumentException if the name is taken
   */
  public int pin(String name, KvRequest prefix) {
    return index.pin(name, Keyspace.of(prefix), prefix.prompt());
  }

  /** Tokens of the pinned prefixes, by name. */
  public SortedMap<String, Integer> pinned() {
    return index.pinned();
  }

  /** Gives up a pin; false if there is none of that name. */
  public boolean unpin(String name) {
    return index.unpin(name);
  }

  /**
   * How large the keys and values of a run are, computed now; it is held meanwhile, and read
   * without the lock.
   *
   * @param run its id, as in a {@link #snapshot}
   * @return empty if there is no such run any more
   */
  public Optional<RunMagnitudes> magnitudes(long run) {
    return index.hold(run).map(held -> RunMagnitudes.of(held, layout));
  }

  /**
   * Removes everything, pinned prefixes too.
   *
   * @throws IllegalStateException if sequences are open that have neither been committed nor closed
   */
  public void clear() {
    if (!clear(Duration.ZERO)) {
      throw new IllegalStateException("the cache cannot be cleared while sequences are open");
    }
  }

  /**
   * Waits until no sequence is open (others may open meanwhile), then removes everything.
   *
   * @return false if that did not come about in time, or the thread was interrupted; then nothing
   *     was removed
   */
  public boolean clear(Duration patience) {
    return index.clear(patience);
  }

  /**
   * All that is in memory, from the beginning of each sequence to its end: what several begin with
   * is part of each. The last block of a chain may be only partly filled.
   */
  public List<Chain<KvBlock>> chains() {
    return index.chains();
  }

  /**
   * Waits until the store behind the cache, if there is one, has taken what is to be kept there.
   *
   * @return false if that did not come about in time
   */
  public boolean flush(Duration patience) {
    return tier.map(store -> store.flush(patience)).orElse(true);
  }

  /** Removes all that has outlived its time to live; lookups otherwise remove a few at a time. */
  public void removeExpired() {
    index.removeExpired();
  }

  @Override
  public CacheStats stats() {
    CacheStats stats = index.stats();
    return new CacheStats(stats.lookups(), stats.storage(), tier.map(StoreTier::stats));
  }

  @Override
  public Optional<TreeSnapshot> snapshot() {
    return Optional.of(index.snapshot());
  }

  /** The tree with token ids in place of text. */
  @Override
  public String toString() {
    return TreePrinter.print(index.snapshot(), TreePrinter::ids);
  }

  /**
   * Checks that the tree, the pins and the accounts agree with each other; for tests, as it visits
   * everything that is stored.
   *
   * @throws IllegalStateException saying what is wrong
   */
  public void checkIntegrity() {
    index.checkIntegrity();
  }

  /**
   * Removes everything at once, having waited until a store behind the cache has what it is to
   * have, for 30 seconds at most. Open sequences go on, and what they commit is not kept.
   */
  @Override
  public void close() {
    tier.filter(store -> !store.wantsCommitted()).ifPresent(store -> store.offerAll(chains()));
    index.close();
    tier.ifPresent(StoreTier::close);
  }
}
