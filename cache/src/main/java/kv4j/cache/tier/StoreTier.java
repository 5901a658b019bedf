package kv4j.cache.tier;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import kv4j.cache.Lookup.Reason;
import kv4j.cache.block.BlockChain;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;
import kv4j.cache.index.Chain;
import kv4j.cache.index.Keyspace;
import kv4j.cache.store.DamagedValueException;
import kv4j.cache.store.StoreConfig;
import kv4j.cache.store.StoreStats;

/**
 * The store behind one cache. Reads chains of blocks, many blocks at once and each once however
 * many ask for it; gives up at a deadline, or when computing would be done by then; and takes
 * nothing for keys and values whose header, tokens and checksum are not what they should be.
 * Whatever the store does, {@link #fetch} completes in time and in order, and {@link #offer} does
 * not wait. Safe for use by many threads.
 *
 * <p>Reading is done only if it is expected to be faster than computing: both rates are measured
 * while requests run. Where the store has been the slower one, every sixteenth request tries it all
 * the same.
 */
public final class StoreTier implements AutoCloseable {
  private static final long MOST_QUEUED_BYTES = 256L << 20;
  private static final Duration LEAST_PATIENCE = Duration.ofMillis(50);
  private static final Duration CLOSING = Duration.ofSeconds(30);

  private final StoreConfig config;
  private final KvLayout layout;
  private final Rates rates = new Rates();
  private final StoreCounters counters = new StoreCounters();
  private final WriteBehind writes;
  private final BlockReader reader;

  /**
   * @param layout of the cache
   */
  public StoreTier(StoreConfig config, KvLayout layout) {
    this.config = config;
    this.layout = layout;
    writes = new WriteBehind(config.store(), MOST_QUEUED_BYTES, counters);
    reader = new BlockReader(config.store(), writes, counters);
  }

  private BlockChain chain(Keyspace space, int[] tokens) {
    return new BlockChain(
        layout, config.dtype(), space.model(), space.namespace(), space.salt(), tokens);
  }

  /**
   * Reads the blocks of a token sequence from one on, as many as the store has.
   *
   * @param tokens ids from position 0 on
   * @param from the first block wanted
   * @return completes at the deadline at the latest, never exceptionally
   */
  public CompletableFuture<Fetched> fetch(Keyspace space, int[] tokens, int from) {
    int wanted = (tokens.length / layout.blockTokens() - from) * layout.blockTokens();
    if (wanted <= 0 || tokens.length < config.minTokens()) {
      return CompletableFuture.completedFuture(Fetched.NOTHING);
    }
    Optional<Reason> refusal = refusal();
    if (refusal.isPresent()) {
      counters.missed(refusal.get());
      return CompletableFuture.completedFuture(Fetched.nothing(refusal.get()));
    }
    long begin = System.nanoTime();
    Duration patience = rates.patience(wanted, config.deadline(), LEAST_PATIENCE);
    List<CompletableFuture<KvBlock>> blocks = reader.read(chain(space, tokens), from, patience);
    return CompletableFuture.allOf(blocks.toArray(CompletableFuture[]::new))
        .handle((done, error) -> take(blocks, wanted, System.nanoTime() - begin));
  }

  private Optional<Reason> refusal() {
    CompletableFuture<Void> ready = config.store().ready();
    if (!ready.isDone()) {
      return Optional.of(Reason.STORE_OPENING);
    }
    if (ready.isCompletedExceptionally()) {
      return Optional.of(Reason.STORE_FAILED);
    }
    return rates.isReadingWorthIt() ? Optional.empty() : Optional.of(Reason.STORE_SLOWER);
  }

  /** The blocks up to the first that is missing, late or wrong. */
  private Fetched take(List<CompletableFuture<KvBlock>> asked, int wanted, long nanos) {
    List<KvBlock> blocks = new ArrayList<>();
    Optional<Reason> reason = Optional.empty();
    for (CompletableFuture<KvBlock> block : asked) {
      Object read = block.handle((value, error) -> error == null ? value : error).getNow(null);
      if (!(read instanceof KvBlock)) {
        reason = Optional.ofNullable((Throwable) read).map(StoreTier::reason);
        break;
      }
      blocks.add((KvBlock) read);
    }
    int tokens = blocks.size() * layout.blockTokens();
    counters.fetched(wanted, tokens, nanos);
    reason.ifPresent(counters::missed);
    if (tokens > 0) {
      rates.read(tokens, nanos);
    } else if (reason.equals(Optional.of(Reason.STORE_DEADLINE))) {
      rates.read(wanted, nanos);
    }
    return new Fetched(blocks, reason);
  }

  private static Reason reason(Throwable error) {
    Throwable cause = BlockReader.cause(error);
    if (cause instanceof TimeoutException) {
      return Reason.STORE_DEADLINE;
    }
    return cause instanceof DamagedValueException ? Reason.STORE_DAMAGED : Reason.STORE_FAILED;
  }

  /** Notes what computing tokens of a prompt took, from the first layer to the last. */
  public void computed(int tokens, long nanos) {
    rates.computed(tokens, nanos);
  }

  /** Whether blocks are wanted as soon as they are committed. */
  public boolean wantsCommitted() {
    return config.when() == StoreConfig.When.COMMIT;
  }

  /** Has the full blocks of a chain written down in the background, or drops them. */
  public void offer(Chain<KvBlock> chain) {
    offer(chain, Duration.ZERO);
  }

  /** Has all of them written down, waiting for room where it must, but not for the store. */
  public void offerAll(List<Chain<KvBlock>> chains) {
    long deadline = System.nanoTime() + CLOSING.toNanos();
    for (Chain<KvBlock> chain : chains) {
      offer(chain, Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
    }
  }

  private void offer(Chain<KvBlock> chain, Duration patience) {
    int whole = chain.tokens().length / layout.blockTokens();
    if (chain.tokens().length < config.minTokens() || whole <= chain.firstBlock()) {
      return;
    }
    BlockChain keys = chain(chain.space(), chain.tokens());
    for (int block = chain.firstBlock(); block < whole; block++) {
      writes.offer(keys, block, chain.blocks().get(block - chain.firstBlock()), patience);
    }
  }

  /** Counts since it was made. */
  public StoreStats stats() {
    return counters.snapshot(writes.queuedBytes(), rates);
  }

  /**
   * Waits until the store has taken what was offered.
   *
   * @return false if that did not come about in time
   */
  public boolean flush(Duration patience) {
    return writes.flush(patience);
  }

  /** Writes down what waits, for at most 30 seconds, and asks for nothing any more. */
  @Override
  public void close() {
    writes.flush(CLOSING);
    writes.close();
    reader.close();
  }
}
