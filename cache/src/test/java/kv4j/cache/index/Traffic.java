package kv4j.cache.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats;
import kv4j.cache.EvictionPolicy;
import kv4j.cache.Lookup;

/**
 * Many threads on one small index: every token handed out is compared with the one asked for, when
 * it is handed out and again before it is given back; other threads' pins are never lost, what is
 * evicted is handed out once, and the books are straight throughout.
 */
final class Traffic {
  private static final int SIZE = 4;

  private final AtomicLong clock = new AtomicLong();
  private final TreeReplay replay = new TreeReplay();
  private final AtomicLong insertedBytes = new AtomicLong();
  private final AtomicLong evictions = new AtomicLong(); // heard of and not handed out
  private final PrefixIndex<TestBlock> index;
  private final long budget;
  final AtomicLong requests = new AtomicLong();
  final AtomicLong cachedTokens = new AtomicLong();

  Traffic(long budget, EvictionPolicy policy, long timeToLive) {
    this.budget = budget;
    index =
        new PrefixIndex<>(
            new Limits(SIZE, budget, policy, timeToLive, true),
            block -> block.weight,
            clock::incrementAndGet,
            this::hear,
            Optional.of(this::take));
  }

  private void hear(CacheEvent event) {
    replay.accept(event);
    if (event instanceof CacheEvent.Inserted inserted) {
      insertedBytes.addAndGet(inserted.bytes());
    } else if (event instanceof CacheEvent.Removed removed) {
      insertedBytes.addAndGet(-removed.bytes());
      if (removed.cause() == CacheStats.Removal.SIZE && removed.entries() > 0) {
        evictions.incrementAndGet();
      }
    }
  }

  private void take(Chain<TestBlock> chain) {
    for (int at = 0; at < chain.tokens().length; at++) {
      int kept = chain.blocks().get(at / SIZE).payload[at % SIZE];
      require(kept == chain.tokens()[at], "an evicted chain says " + kept + " at " + at);
    }
    evictions.decrementAndGet();
  }

  /** Runs requests on each thread while there are more, then checks what they left behind. */
  void run(int threads, long seed, BooleanSupplier more) throws InterruptedException {
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        Random random = new Random(seed + i);
        String pinName = "pin " + i;
        running.add(
            pool.submit(
                () -> {
                  while (more.getAsBoolean()) {
                    request(random, pinName);
                  }
                }));
      }
      for (Future<?> thread : running) {
        thread.get();
      }
    } catch (ExecutionException e) {
      throw new AssertionError("seed " + seed + ": " + e.getCause(), e.getCause());
    } finally {
      pool.shutdownNow();
    }
    index.checkIntegrity();
    replay.check(index.snapshot());
    index.pinned().keySet().forEach(index::unpin);
    index.checkIntegrity();
    CacheStats.Storage stats = index.stats().storage();
    require(stats.pinnedBytes() == 0, "pins are left over");
    require(stats.bytes() == insertedBytes.get(), "events and books differ");
    require(stats.peakBytes() <= budget, "the budget was exceeded");
    require(evictions.get() == 0, evictions + " evicted runs too few were handed out");
  }

  private void request(Random random, String pinName) {
    Keyspace space = new Keyspace(random.nextInt(10) == 0 ? "other" : "", "", "");
    int[] prompt = prompt(random, space);
    PrefixIndex.Match<TestBlock> match = index.match(space, prompt);
    TestBlock.checkContent(match, prompt, SIZE);
    requests.incrementAndGet();
    cachedTokens.addAndGet(match.lookup().cachedTokens());
    int kind = random.nextInt(20);
    if (kind == 0) {
      index.unpin(pinName);
      index.pin(pinName, space, prompt);
    } else if (kind == 1) {
      Thread.yield();
    } else if (kind == 2) {
      CacheStats.Storage stats = index.stats().storage();
      require(stats.bytes() >= stats.pinnedBytes(), "more is pinned than kept");
      require(stats.bytes() <= budget && stats.pinnedBytes() >= 0, "the books are wrong");
    } else if (kind == 3) {
      index.checkIntegrity();
    }
    TestBlock.checkContent(match, prompt, SIZE);
    if (kind == 4) {
      match.lease().close();
      return;
    }
    index.record(match, 1);
    int length = match.lookup().cachedTokens();
    if (kind > 15 && prompt.length > SIZE) {
      List<TestBlock> sofar = TestBlock.compute(match, prompt, prompt.length, SIZE);
      List<TestBlock> held = index.commitPrefix(match.lease(), prompt, prompt.length, sofar);
      length = held.size() * SIZE;
      Lookup lookup = new Lookup(prompt.length, length, Lookup.Reason.COLD, "");
      match = new PrefixIndex.Match<>(lookup, match.lease(), held, null);
      TestBlock.checkContent(match, prompt, SIZE);
      if (length == prompt.length) {
        match.lease().close();
        return;
      }
    }
    length = kind == 5 ? length : length + 1 + random.nextInt(prompt.length - length);
    List<TestBlock> blocks = TestBlock.compute(match, prompt, length, SIZE);
    index.commit(match.lease(), prompt, length, blocks);
    match.lease().close();
  }

  /** One of a few conversations, cut somewhere; what it says depends on the tenant. */
  private static int[] prompt(Random random, Keyspace space) {
    Random words = new Random(random.nextInt(12));
    int offset = space.namespace().isEmpty() ? 0 : 1000;
    int[] prompt = new int[40];
    Arrays.setAll(prompt, i -> offset + words.nextInt(i < 20 ? 1 + i / 8 : 3));
    return Arrays.copyOf(prompt, 1 + random.nextInt(prompt.length));
  }

  private static void require(boolean condition, String problem) {
    if (!condition) {
      throw new AssertionError(problem);
    }
  }
}
