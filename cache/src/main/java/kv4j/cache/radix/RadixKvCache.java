package kv4j.cache.radix;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.concurrent.TimeUnit;
import kv4j.cache.BlockSequence;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.Lookup;
import kv4j.cache.TreePrinter;
import kv4j.cache.TreeSnapshot;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;
import kv4j.cache.index.Keyspace;
import kv4j.cache.index.Lease;
import kv4j.cache.index.Limits;
import kv4j.cache.index.PrefixIndex;

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
            this::tell);
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
    FlightEvents.TimedLookup flight = FlightEvents.begin();
    long begin = System.nanoTime();
    PrefixIndex.Match<KvBlock> match =
        index.match(Keyspace.of(request), request.label(), request.prompt(), true);
    Sequence sequence = start(match);
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
    int[] prompt = request.prompt();
    PrefixIndex.Match<KvBlock> match =
        index.match(Keyspace.of(request), request.label(), prompt, !again);
    int own = layout.blocksFor(prompt.length) - match.shared().size();
    if (!index.reserveOrLeave(match.lease(), own * layout.bytesPerBlock())) {
      match.lease().close();
      return Optional.empty();
    }
    Sequence sequence = start(match);
    if (!again) {
      record(request, match, flight, begin);
    }
    return Optional.of(sequence);
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

  private Sequence start(PrefixIndex.Match<KvBlock> match) {
    List<KvBlock> blocks = new ArrayList<>(match.shared());
    try {
      if (match.partial() != null) {
        KvBlock own = new KvBlock(layout);
        match.partial().copyTo(own, match.lookup().cachedTokens() % layout.blockTokens());
        blocks.add(own);
      }
      return new Sequence(match.lookup(), match.lease(), blocks);
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

  /** Removes all that has outlived its time to live; lookups otherwise remove a few at a time. */
  public void removeExpired() {
    index.removeExpired();
  }

  @Override
  public CacheStats stats() {
    return index.stats();
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

  /** Removes everything at once. Open sequences go on, and what they commit is not kept. */
  @Override
  public void close() {
    index.close();
  }

  private final class Sequence extends BlockSequence {
    private final Lookup lookup;
    private final Lease<KvBlock> lease;
    private int shared; // leading blocks that are the cache's
    private int reserved; // blocks of its own that are known to be within the budget

    Sequence(Lookup lookup, Lease<KvBlock> lease, List<KvBlock> blocks) {
      super(RadixKvCache.this.layout);
      this.lookup = lookup;
      this.lease = lease;
      shared = lookup.cachedTokens() / layout.blockTokens();
      startOn(blocks, lookup.cachedTokens());
    }

    @Override
    public Lookup lookup() {
      return lookup;
    }

    @Override
    public boolean reserve(int tokens) {
      int own = layout.blocksFor(length() + tokens) - shared;
      return own <= reserved || reserveBlocks(own);
    }

    private boolean reserveBlocks(int own) {
      boolean fits = index.reserve(lease, own * layout.bytesPerBlock());
      reserved = fits ? own : reserved;
      return fits;
    }

    @Override
    public int commitPrefix(int[] tokens) {
      int length = Math.min(tokens.length, length());
      List<KvBlock> kept = index.commitPrefix(lease, tokens, length, blocks());
      replaceFirst(kept);
      shared = kept.size();
      reserved = 0; // not known: the next pass asks
      return kept.size() * layout.blockTokens();
    }

    @Override
    public void commit(int[] tokens) {
      index.commit(lease, tokens, Math.min(tokens.length, length()), blocks());
    }

    @Override
    public void close() {
      lease.close();
      reset();
    }
  }
}
