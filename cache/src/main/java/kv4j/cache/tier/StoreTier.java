package kv4j.cache.tier;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import kv4j.cache.Lookup.Reason;
import kv4j.cache.block.BlockChain;
import kv4j.cache.block.BlockFormat;
import kv4j.cache.block.BlockKey;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvLayout;
import kv4j.cache.index.Chain;
import kv4j.cache.index.Keyspace;
import kv4j.cache.store.DamagedValueException;
import kv4j.cache.store.StoreConfig;
import kv4j.cache.store.StoreStats;

/**
 * The store behind one cache. Reads chains of blocks, all blocks of a chain at once and each block
 * once however many ask for it; gives up at a deadline, or when computing would be done by then;
 * and takes nothing for keys and values whose header, tokens and checksum are not what they should
 * be. Whatever the store does, {@link #fetch} completes in time and in order, and {@link #offer}
 * does not wait. Safe for use by many threads.
 *
 * <p>Reading is done only if it is expected to be faster than computing: both rates are measured
 * while requests run. Where the store has been the slower one, every sixteenth request tries it all
 * the same.
 */
public final class StoreTier implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(StoreTier.class.getName());
  private static final int READERS = 2;
  private static final long MOST_QUEUED_BYTES = 256L << 20;
  private static final Duration LEAST_PATIENCE = Duration.ofMillis(50);
  private static final Duration CLOSING = Duration.ofSeconds(30);

  private final StoreConfig config;
  private final KvLayout layout;
  private final Rates rates = new Rates();
  private final StoreCounters counters = new StoreCounters();
  private final WriteBehind writes;
  private final Map<BlockKey, CompletableFuture<KvBlock>> reading = new ConcurrentHashMap<>();
  private final ExecutorService readers =
      Executors.newFixedThreadPool(
          READERS,
          task -> {
            Thread thread = new Thread(task, "kv4j-store-reader");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * @param layout of the cache
   */
  public StoreTier(StoreConfig config, KvLayout layout) {
    this.config = config;
    this.layout = layout;
    writes = new WriteBehind(config.store(), MOST_QUEUED_BYTES, counters);
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
    List<CompletableFuture<KvBlock>> blocks = read(chain(space, tokens), from, wanted);
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

  /** Asks for blocks that nobody has asked for yet, and joins those who have for the others. */
  private List<CompletableFuture<KvBlock>> read(BlockChain chain, int from, int tokens) {
    Duration patience = rates.patience(tokens, config.deadline(), LEAST_PATIENCE);
    List<CompletableFuture<KvBlock>> blocks = new ArrayList<>();
    List<Integer> asked = new ArrayList<>();
    for (int block = from; block < chain.size(); block++) {
      BlockKey key = chain.key(block);
      CompletableFuture<KvBlock> mine = new CompletableFuture<>();
      CompletableFuture<KvBlock> current =
          reading.merge(key, mine, (other, same) -> other.isDone() ? same : other);
      blocks.add(current);
      if (current == mine) {
        asked.add(block);
        mine.orTimeout(patience.toNanos(), TimeUnit.NANOSECONDS)
            .whenComplete((read, error) -> reading.remove(key, mine));
      }
    }
    if (!asked.isEmpty()) {
      ask(chain, from, asked, blocks);
    }
    return blocks;
  }

  private void ask(
      BlockChain chain, int from, List<Integer> asked, List<CompletableFuture<KvBlock>> blocks) {
    try {
      readers.execute(
          () -> {
            List<BlockKey> keys = asked.stream().map(chain::key).toList();
            List<CompletableFuture<byte[]>> values = values(keys);
            for (int i = 0; i < keys.size(); i++) {
              int block = asked.get(i);
              CompletableFuture<KvBlock> target = blocks.get(block - from);
              values
                  .get(i)
                  .thenApplyAsync(value -> decode(chain, block, value), readers)
                  .whenComplete((read, error) -> complete(chain.key(block), target, read, error));
            }
          });
    } catch (RejectedExecutionException e) { // closed meanwhile
      asked.forEach(block -> blocks.get(block - from).completeExceptionally(e));
    }
  }

  /** What the store answers, or as many failures. */
  private List<CompletableFuture<byte[]>> values(List<BlockKey> keys) {
    try {
      List<CompletableFuture<byte[]>> values = config.store().get(keys);
      if (values.size() == keys.size()) {
        return values;
      }
      throw new IllegalStateException(values.size() + " answers to " + keys.size() + " questions");
    } catch (RuntimeException | Error e) {
      return keys.stream().map(key -> CompletableFuture.<byte[]>failedFuture(e)).toList();
    }
  }

  private void complete(
      BlockKey key, CompletableFuture<KvBlock> target, KvBlock read, Throwable error) {
    if (error == null) {
      target.complete(read);
      return;
    }
    Throwable cause = cause(error);
    if (cause instanceof DamagedValueException) {
      boolean first = counters.damaged();
      LOG.log(first ? Level.WARNING : Level.DEBUG, "removed from the store: " + cause.getMessage());
      writes.forget(key);
      remove(key);
    }
    target.completeExceptionally(cause);
  }

  private void remove(BlockKey key) {
    try {
      config.store().remove(key);
    } catch (RuntimeException e) { // then it is found damaged once more
      LOG.log(Level.DEBUG, "a damaged block was not removed", e);
    }
  }

  private static Throwable cause(Throwable error) {
    return error instanceof CompletionException && error.getCause() != null
        ? error.getCause()
        : error;
  }

  /** A value as a block; null if there is none. */
  private KvBlock decode(BlockChain chain, int index, byte[] value) {
    BlockKey key = chain.key(index);
    if (value == null) {
      writes.forget(key);
      return null;
    }
    try {
      KvBlock block = BlockFormat.read(value, chain, index);
      counters.read(value.length);
      writes.stored(key);
      return block;
    } catch (IllegalArgumentException e) {
      throw new DamagedValueException(key + ": " + e.getMessage(), e);
    }
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
    Throwable cause = cause(error);
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
    readers.shutdownNow();
  }
}
