package kv4j.inference.schedule;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import kv4j.cache.KvCache;
import kv4j.inference.Generation;
import kv4j.inference.GenerationRequest;
import kv4j.inference.InferenceEngine;

/**
 * Runs many requests at once (continuous batching, as Orca does: Yu et al. 2022): one thread of its
 * own runs forward passes with a row for every request that generates, and chunks of the prompts of
 * others up to a number of rows. Each request gets the tokens that it would get alone. Safe for use
 * by many threads; engine and cache remain the caller's, who may use them besides.
 *
 * <ul>
 *   <li>A pass with more than 64 rows of prompts is left between layers for a short one of those
 *       that generate and of prompts with at most so many tokens to compute, also such as have just
 *       come. Then it goes on for as long as that took. So a long prompt delays a next token, and a
 *       short prompt's first, by a layer of its pass and by the time of the short pass before; if
 *       there is no memory left beside it, by its whole pass.
 *   <li>Of the rows of prompts a quarter goes to the oldest, the rest to the shortest: a long
 *       prompt delays no shorter one by more than its share, and is not put off for ever.
 *   <li>Who has most of its prompt in the cache starts first. A request waits for at most those
 *       submitted before it and {@link SchedulerOptions#maxOvertakes} others.
 *   <li>What requests have in common is computed once even if they come at once: the others wait
 *       for it and share it, unless they differ in namespace or salt.
 *   <li>What a store behind the cache has of a prompt is read before the request takes its place
 *       among those that wait; others run meanwhile.
 *   <li>When the cache's memory runs out, the youngest request that runs gives way: what it has
 *       computed is left to the cache as far as it fits, and it goes on later, before any that has
 *       not started, with the tokens that it would have had. The oldest one always goes on.
 *   <li>A pass that fails is run again, request by request, and only the request that fails by
 *       itself fails.
 * </ul>
 */
public final class Scheduler implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Scheduler.class.getName());
  private static final int LONGEST_RETRY = 60; // s
  private static final int URGENT_ROWS = 64;

  private final InferenceEngine engine;
  private final KvCache cache;
  private final SchedulerOptions options;
  private final PassLoop loop;
  private final Thread thread; // null if the caller runs the passes

  private final Object lock = new Object();
  // Guarded by the lock:
  private List<Job> arrived = new ArrayList<>();
  private int prefetching; // accepted, and has not arrived yet
  private long submissions;
  private int accepted; // and not ended
  private double serviceNanos;
  private SchedulerStats stats;
  private boolean busy; // the loop has something left to do
  private boolean accepting = true;
  private boolean cancelAll;
  private boolean closed;

  /**
   * Starts the thread.
   *
   * @throws IllegalArgumentException if the cache is for keys and values of another shape
   */
  public Scheduler(InferenceEngine engine, KvCache cache, SchedulerOptions options) {
    this(engine, cache, options, event -> {});
  }

  /**
   * Starts the thread.
   *
   * @param listener told on that thread of what happens to requests; it must not block, and what it
   *     throws is only logged
   * @throws IllegalArgumentException if the cache is for keys and values of another shape
   */
  public Scheduler(
      InferenceEngine engine,
      KvCache cache,
      SchedulerOptions options,
      Consumer<SchedulerEvent> listener) {
    this(engine, cache, options, URGENT_ROWS, listener, true);
    thread.start();
  }

  private Scheduler(
      InferenceEngine engine,
      KvCache cache,
      SchedulerOptions options,
      int urgentRows,
      Consumer<SchedulerEvent> listener,
      boolean ownThread) {
    engine.requireShape(cache.layout());
    this.engine = engine;
    this.cache = cache;
    this.options = options;
    LongSupplier clock = ownThread ? System::nanoTime : new AtomicLong()::getAndIncrement;
    loop =
        new PassLoop(engine, cache, options, urgentRows, event -> happened(event, listener), clock);
    stats = loop.stats();
    thread = ownThread ? new Thread(this::run, "kv4j-scheduler") : null;
    if (ownThread) {
      thread.setDaemon(true);
    }
  }

  /**
   * One without a thread: the caller of {@link #step} runs the passes. A long pass and short ones
   * take turns there, whatever time they take.
   *
   * @param urgentRows as {@link PassLoop}'s
   */
  static Scheduler stepped(
      InferenceEngine engine,
      KvCache cache,
      SchedulerOptions options,
      int urgentRows,
      Consumer<SchedulerEvent> listener) {
    return new Scheduler(engine, cache, options, urgentRows, listener, false);
  }

  /** One that leaves the same passes in the middle as one with a thread. */
  static Scheduler stepped(
      InferenceEngine engine,
      KvCache cache,
      SchedulerOptions options,
      Consumer<SchedulerEvent> listener) {
    return stepped(engine, cache, options, URGENT_ROWS, listener);
  }

  /** Whoever is told of an end after this finds room, and the counts that follow from it. */
  private void happened(SchedulerEvent event, Consumer<SchedulerEvent> listener) {
    if (event instanceof SchedulerEvent.Finished || event instanceof SchedulerEvent.Failed) {
      synchronized (lock) {
        accepted--;
        stats = loop.stats();
      }
    }
    try {
      listener.accept(event);
    } catch (RuntimeException | Error e) {
      LOG.log(System.Logger.Level.WARNING, "a scheduler's listener failed", e);
    }
  }

  /** Submits a request whose tokens are wanted all at once. */
  public Submission submit(GenerationRequest request) {
    return submit(request, TokenListener.NONE);
  }

  /**
   * Submits a request. Does not wait for it.
   *
   * @param listener told of each token
   * @throws IllegalArgumentException if prompt and new tokens do not fit the model's context or the
   *     cache's limit, or a token is not in the vocabulary
   * @throws QueueFullException if there are as many requests as may run and wait
   * @throws IllegalStateException if no more are accepted
   */
  public Submission submit(GenerationRequest request, TokenListener listener) {
    Generation generation = Generation.waiting(engine, cache, request, false);
    int computed = request.prompt().length + request.newTokens() - 1; // all but the last
    if (!cache.canHold(computed)) {
      throw new IllegalArgumentException(
          "the cache's size limit is below the keys and values of %d tokens".formatted(computed));
    }
    Job job;
    synchronized (lock) {
      if (!accepting) {
        throw new IllegalStateException("the scheduler takes no more requests");
      }
      if (accepted >= options.maxRunning() + options.maxWaiting()) {
        throw new QueueFullException(options.maxWaiting(), retrySeconds());
      }
      accepted++;
      prefetching++;
      var lookup = request.lookup().withModel(engine.model().fingerprint());
      job = new Job(new Submission(++submissions), lookup, generation, listener);
    }
    CompletableFuture.completedFuture(generation)
        .thenCompose(Generation::prefetch)
        .whenComplete((done, error) -> arrive(job)); // whatever happens
    return job.submission;
  }

  private void arrive(Job job) {
    synchronized (lock) {
      prefetching--;
      arrived.add(job);
      lock.notifyAll();
    }
  }

  private int retrySeconds() {
    double half = serviceNanos * options.maxWaiting() / options.maxRunning() / 2;
    double seconds = Math.ceil(half / TimeUnit.SECONDS.toNanos(1));
    return (int) Math.max(1, Math.min(LONGEST_RETRY, seconds));
  }

  /** Counts as of the last pass or layer of one, and ends and arrivals of requests since. */
  public SchedulerStats stats() {
    synchronized (lock) {
      return stats.withArrived(prefetching + arrived.size());
    }
  }

  /**
   * Takes no more requests, lets those that were accepted come to their end, and cancels what is
   * left after a while.
   *
   * @return whether nothing had to be cancelled
   */
  public boolean drain(Duration patience) {
    synchronized (lock) {
      accepting = false;
    }
    boolean done = awaitIdle(patience);
    cancelAll();
    return done;
  }

  /**
   * Takes no more requests, cancels all, and ends the thread, which it waits for unless it is
   * called there. May be called more than once.
   */
  @Override
  public void close() {
    cancelAll();
    synchronized (lock) {
      closed = true;
      lock.notifyAll();
    }
  }

  private void cancelAll() {
    synchronized (lock) {
      accepting = false;
      cancelAll = true;
    }
    awaitIdle(Duration.ofNanos(Long.MAX_VALUE));
  }

  /** Whether nothing was left to do in time; not if the calling thread is interrupted. */
  private boolean awaitIdle(Duration patience) {
    long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(patience);
    while (thread == null && hasWork() && deadline - System.nanoTime() > 0) {
      step();
    }
    try {
      synchronized (lock) {
        while (prefetching > 0 || hasWork()) {
          long left = deadline - System.nanoTime();
          if (left <= 0 || Thread.currentThread() == thread) {
            return false;
          }
          TimeUnit.NANOSECONDS.timedWait(lock, left);
        }
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private boolean hasWork() {
    synchronized (lock) {
      return busy || !arrived.isEmpty();
    }
  }

  private void run() {
    while (awaitWork()) {
      step();
    }
  }

  private boolean awaitWork() {
    synchronized (lock) {
      while (!hasWork() && (prefetching > 0 || !closed)) {
        try {
          lock.wait();
        } catch (InterruptedException e) {
          LOG.log(System.Logger.Level.DEBUG, "nobody should interrupt the scheduler", e);
        }
      }
      return hasWork();
    }
  }

  /** Runs a pass, or a layer of one, with what has arrived; whatever goes wrong, it goes on. */
  void step() {
    List<Job> taken;
    boolean cancel;
    synchronized (lock) {
      taken = arrived;
      arrived = new ArrayList<>();
      stats = stats.withArrived(taken.size());
      busy = true;
      cancel = cancelAll;
    }
    try {
      loop.step(taken, cancel);
    } catch (RuntimeException | Error e) {
      loop.failAll(e);
    }
    synchronized (lock) {
      serviceNanos = loop.serviceNanos();
      stats = loop.stats();
      busy = !loop.isIdle();
      lock.notifyAll();
    }
  }
}
