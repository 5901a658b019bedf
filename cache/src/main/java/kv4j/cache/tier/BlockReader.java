package kv4j.cache.tier;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import kv4j.cache.block.BlockChain;
import kv4j.cache.block.BlockFormat;
import kv4j.cache.block.BlockKey;
import kv4j.cache.block.KvBlock;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.DamagedValueException;

/**
 * Reads blocks from a store, each once however many ask for it, and many at a time, but not so many
 * that the values that wait to be decoded fill the heap's young generation: copying them cost more
 * than reading.
 */
final class BlockReader implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(BlockReader.class.getName());
  private static final int THREADS = 2;
  private static final long MOST_BYTES_AT_ONCE = 8L << 20;

  private final BlockStore store;
  private final WriteBehind writes;
  private final StoreCounters counters;
  private final Map<BlockKey, CompletableFuture<KvBlock>> reading = new ConcurrentHashMap<>();
  private final ExecutorService threads =
      Executors.newFixedThreadPool(
          THREADS,
          task -> {
            Thread thread = new Thread(task, "kv4j-store-reader");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * @param writes told what the store has and has not
   */
  BlockReader(BlockStore store, WriteBehind writes, StoreCounters counters) {
    this.store = store;
    this.writes = writes;
    this.counters = counters;
  }

  /**
   * Begins to read the blocks of a chain from one on.
   *
   * @return each block, or null if the store has not got it or one before it; fails with a {@link
   *     java.util.concurrent.TimeoutException} when the patience ends, with a {@link
   *     DamagedValueException} if a value is not the block's, or with what the store threw
   */
  List<CompletableFuture<KvBlock>> read(BlockChain chain, int from, Duration patience) {
    List<CompletableFuture<KvBlock>> blocks = new ArrayList<>();
    Question question = new Question(chain);
    for (int block = from; block < chain.size(); block++) {
      BlockKey key = chain.key(block);
      CompletableFuture<KvBlock> mine = new CompletableFuture<>();
      CompletableFuture<KvBlock> current =
          reading.merge(key, mine, (other, same) -> other.isDone() ? same : other);
      blocks.add(current);
      if (current == mine) {
        question.add(block, mine);
        mine.orTimeout(patience.toNanos(), TimeUnit.NANOSECONDS)
            .whenComplete((read, error) -> reading.remove(key, mine));
      }
    }
    try {
      threads.execute(question::begin);
    } catch (RejectedExecutionException e) { // closed meanwhile
      blocks.forEach(block -> block.completeExceptionally(e));
    }
    return blocks;
  }

  /** Blocks of one chain that nobody else reads. */
  private final class Question {
    private final BlockChain chain;
    private final List<Integer> blocks = new ArrayList<>();
    private final List<CompletableFuture<KvBlock>> targets = new ArrayList<>();
    private int next; // to ask for; guarded by this

    Question(BlockChain chain) {
      this.chain = chain;
    }

    void add(int block, CompletableFuture<KvBlock> target) {
      blocks.add(block);
      targets.add(target);
    }

    void begin() {
      ask((int) Math.max(1, MOST_BYTES_AT_ONCE / chain.layout().bytesPerBlock()));
    }

    private void ask(int count) {
      int first;
      int end;
      synchronized (this) {
        first = next;
        end = Math.min(blocks.size(), first + count);
        next = end;
      }
      if (first == end || targets.get(first).isDone()) {
        return; // there are no more, or nobody waits for them any longer
      }
      List<BlockKey> keys = blocks.subList(first, end).stream().map(chain::key).toList();
      List<CompletableFuture<byte[]>> values = values(keys);
      for (int i = first; i < end; i++) {
        int index = i;
        values
            .get(i - first)
            .thenApplyAsync(value -> decode(blocks.get(index), value), threads)
            .whenComplete((read, error) -> answered(index, read, error));
      }
    }

    /** What the store answers, or as many failures. */
    private List<CompletableFuture<byte[]>> values(List<BlockKey> keys) {
      try {
        List<CompletableFuture<byte[]>> values = store.get(keys);
        if (values.size() == keys.size()) {
          return values;
        }
        throw new IllegalStateException(
            values.size() + " answers to " + keys.size() + " questions");
      } catch (RuntimeException | Error e) {
        return keys.stream().map(key -> CompletableFuture.<byte[]>failedFuture(e)).toList();
      }
    }

    /** A value as a block; null if there is none. */
    private KvBlock decode(int block, byte[] value) {
      BlockKey key = chain.key(block);
      if (value == null) {
        writes.forget(key);
        return null;
      }
      try {
        KvBlock decoded = BlockFormat.read(value, chain, block);
        counters.read(value.length);
        writes.stored(key);
        return decoded;
      } catch (IllegalArgumentException e) {
        throw new DamagedValueException(key + ": " + e.getMessage(), e);
      }
    }

    private void answered(int index, KvBlock read, Throwable error) {
      if (read != null) {
        targets.get(index).complete(read);
        ask(1);
        return;
      }
      Throwable cause = error == null ? null : cause(error);
      if (cause instanceof DamagedValueException) {
        remove(chain.key(blocks.get(index)), cause);
      }
      int asked;
      synchronized (this) {
        asked = next;
        next = blocks.size();
      }
      if (cause == null) {
        targets.get(index).complete(null);
      } else {
        targets.get(index).completeExceptionally(cause);
      }
      targets.subList(asked, targets.size()).forEach(target -> target.complete(null));
    }
  }

  private void remove(BlockKey damaged, Throwable cause) {
    boolean first = counters.damaged();
    LOG.log(first ? Level.WARNING : Level.DEBUG, "removed from the store: " + cause.getMessage());
    writes.forget(damaged);
    try {
      store.remove(damaged);
    } catch (RuntimeException e) { // then it is found damaged once more
      LOG.log(Level.DEBUG, "a damaged block was not removed", e);
    }
  }

  static Throwable cause(Throwable error) {
    return error instanceof CompletionException && error.getCause() != null
        ? error.getCause()
        : error;
  }

  /** Asks for nothing any more. */
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
