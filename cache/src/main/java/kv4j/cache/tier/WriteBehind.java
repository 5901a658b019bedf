package kv4j.cache.tier;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import kv4j.cache.block.BlockChain;
import kv4j.cache.block.BlockFormat;
import kv4j.cache.block.BlockKey;
import kv4j.cache.block.KvBlock;
import kv4j.cache.store.BlockStore;

/**
 * Writes blocks to a store on a thread of its own, in the order in which they were offered, so that
 * a chain is there from its beginning on. Blocks that wait are held in memory, up to a limit, and
 * what is offered beyond it is dropped: a store that cannot keep up costs hits, never time.
 */
final class WriteBehind {
  private static final System.Logger LOG = System.getLogger(WriteBehind.class.getName());
  private static final int MOST_AT_ONCE = 4;
  private static final int KNOWN_KEYS = 1 << 16;
  private static final Duration WRITE_TIMEOUT = Duration.ofSeconds(10);

  private record Write(BlockChain chain, int index, KvBlock block) {
    BlockKey key() {
      return chain.key(index);
    }

    long bytes() {
      return block.layout().bytesPerBlock();
    }
  }

  private final BlockStore store;
  private final long mostQueuedBytes;
  private final StoreCounters counters;

  /** Keys that the store has, or is about to have, as far as is known. */
  private final Cache<BlockKey, Boolean> known =
      Caffeine.newBuilder().maximumSize(KNOWN_KEYS).build();

  private final Object lock = new Object();
  // Guarded by the lock:
  private final Queue<Write> queue = new ArrayDeque<>();
  private long queuedBytes;
  private int writing; // blocks handed to the store that it has not confirmed
  private Thread thread; // null until there is something to write
  private boolean closed;

  WriteBehind(BlockStore store, long mostQueuedBytes, StoreCounters counters) {
    this.store = store;
    this.mostQueuedBytes = mostQueuedBytes;
    this.counters = counters;
  }

  /**
   * Offers a block, unless the store is known to have it.
   *
   * @param patience how long to wait for room if too many wait
   */
  void offer(BlockChain chain, int index, KvBlock block, Duration patience) {
    Write write = new Write(chain, index, block);
    if (known.asMap().putIfAbsent(write.key(), true) != null) {
      return;
    }
    if (!enqueue(write, System.nanoTime() + patience.toNanos())) {
      forget(write.key());
      counters.dropped();
    }
  }

  private boolean enqueue(Write write, long deadline) {
    synchronized (lock) {
      while (queuedBytes + write.bytes() > mostQueuedBytes && !closed) {
        if (!await(deadline)) {
          return false;
        }
      }
      if (closed) {
        return false;
      }
      queue.add(write);
      queuedBytes += write.bytes();
      if (thread == null) {
        thread = new Thread(this::run, "kv4j-store-writer");
        thread.setDaemon(true);
        thread.start();
      }
      lock.notifyAll();
      return true;
    }
  }

  /** Waits for something to change; false if it is too late, or the thread is interrupted. */
  private boolean await(long deadline) {
    long left = deadline - System.nanoTime();
    if (left <= 0) {
      return false;
    }
    try {
      TimeUnit.NANOSECONDS.timedWait(lock, left);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** The store has this block. */
  void stored(BlockKey key) {
    known.put(key, true);
  }

  /** The store does not have this block, whatever was known. */
  void forget(BlockKey key) {
    known.invalidate(key);
  }

  private void run() {
    try {
      store.ready().join();
    } catch (RuntimeException e) {
      LOG.log(Level.WARNING, "the store cannot be used: " + e.getCause());
      giveUp();
      return;
    }
    for (Write write = next(); write != null; write = next()) {
      write(write);
    }
  }

  private void giveUp() {
    synchronized (lock) {
      closed = true;
      for (Write write = queue.poll(); write != null; write = queue.poll()) {
        queuedBytes -= write.bytes(); // those being written give back theirs when they are done
        counters.dropped();
      }
      lock.notifyAll();
    }
  }

  private Write next() {
    synchronized (lock) {
      while (!closed && (queue.isEmpty() || writing == MOST_AT_ONCE)) {
        try {
          lock.wait();
        } catch (InterruptedException e) {
          LOG.log(Level.DEBUG, "nobody should interrupt the writer", e);
        }
      }
      if (closed) {
        return null;
      }
      writing++;
      return queue.remove();
    }
  }

  private void write(Write write) {
    long begin = System.nanoTime();
    CompletableFuture<Integer> done;
    try {
      byte[] value =
          BlockFormat.write(write.block, write.chain, write.index, System.currentTimeMillis());
      done =
          store
              .put(write.key(), value)
              .orTimeout(WRITE_TIMEOUT.toNanos(), TimeUnit.NANOSECONDS)
              .thenApply(nothing -> value.length);
    } catch (RuntimeException | Error e) { // the thread must outlive it
      done = CompletableFuture.failedFuture(e);
    }
    done.whenComplete((bytes, error) -> written(write, bytes, error, System.nanoTime() - begin));
  }

  private void written(Write write, Integer bytes, Throwable error, long nanos) {
    if (error == null) {
      counters.written(bytes, nanos);
    } else {
      forget(write.key());
      Level level = counters.writeFailed() ? Level.WARNING : Level.DEBUG;
      LOG.log(level, "the store did not take a block: " + error);
    }
    synchronized (lock) {
      writing--;
      queuedBytes -= write.bytes();
      lock.notifyAll();
    }
  }

  long queuedBytes() {
    synchronized (lock) {
      return queuedBytes;
    }
  }

  /** Waits until nothing is left to write; false if that does not come about in time. */
  boolean flush(Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    synchronized (lock) {
      while (queuedBytes > 0) {
        if (!await(deadline)) {
          return false;
        }
      }
      return true;
    }
  }

  /** Ends the thread; what waits still is dropped. */
  void close() {
    giveUp();
  }
}
