package kv4j.apps.serve.engine;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import kv4j.cache.KvCache;
import kv4j.inference.GenerationRequest;
import kv4j.inference.InferenceEngine;
import kv4j.inference.schedule.Scheduler;
import kv4j.inference.schedule.SchedulerEvent;
import kv4j.inference.schedule.SchedulerOptions;
import kv4j.inference.schedule.SchedulerStats;
import kv4j.inference.schedule.TokenListener;

/**
 * Has a {@link Scheduler} run requests, and refuses those that are too many: as many are taken as
 * may run and wait, whether or not those that may run do so. Safe for use by many threads.
 */
public final class Engine implements AutoCloseable {
  private final Scheduler scheduler;
  private final int most;
  private final AtomicInteger taken = new AtomicInteger(); // those that run among them
  private final Set<Long> running = ConcurrentHashMap.newKeySet(); // numbers of submissions

  /**
   * @param maxRunning requests computed at once, at least 1
   * @param maxWaiting most requests kept waiting
   */
  public Engine(InferenceEngine engine, KvCache cache, int maxRunning, int maxWaiting) {
    most = Math.addExact(maxRunning, maxWaiting);
    int rows = Math.max(engine.options().prefillChunk(), 2 * maxRunning);
    int overtakes = SchedulerOptions.defaults().maxOvertakes();
    SchedulerOptions options = new SchedulerOptions(rows, maxRunning, most, overtakes);
    scheduler = new Scheduler(engine, cache, options, this::happened);
  }

  /**
   * Takes a request, to be run as soon as there is room.
   *
   * @param listener told of what comes of it, on the scheduler's thread
   * @throws IllegalArgumentException if model or cache could never hold its tokens
   * @throws QueueFullException if too many are waiting already
   * @throws IllegalStateException if the engine takes no more requests
   */
  public Running start(GenerationRequest request, TokenListener listener)
      throws QueueFullException {
    if (taken.incrementAndGet() > most) {
      taken.decrementAndGet();
      throw new QueueFullException(load().waiting());
    }
    try {
      return new Running(scheduler.submit(request, listener));
    } catch (IllegalStateException e) {
      taken.decrementAndGet();
      throw new IllegalStateException("the server is shutting down", e);
    } catch (RuntimeException e) {
      taken.decrementAndGet();
      throw e;
    }
  }

  /** Of an end nobody else has been told yet, who may come again at once. */
  private void happened(SchedulerEvent event) {
    if (event instanceof SchedulerEvent.Started || event instanceof SchedulerEvent.Resumed) {
      running.add(event.request());
    } else if (event instanceof SchedulerEvent.Preempted) {
      running.remove(event.request());
    } else if (event instanceof SchedulerEvent.Finished || event instanceof SchedulerEvent.Failed) {
      running.remove(event.request());
      taken.decrementAndGet();
    }
  }

  /** How much there is to do right now. */
  public Load load() {
    int now = running.size();
    return new Load(now, Math.max(0, taken.get() - now));
  }

  /** Counts of what was done so far, as of the end of the last pass. */
  public SchedulerStats stats() {
    return scheduler.stats();
  }

  /**
   * Takes no more requests, and waits for those that it has.
   *
   * @return false if that took longer than there was patience for, or the thread was interrupted;
   *     then the others were cancelled
   */
  public boolean drain(Duration patience) {
    return scheduler.drain(patience);
  }

  /** Cancels what is left. */
  @Override
  public void close() {
    scheduler.close();
  }
}
