package kv4j.apps.serve.engine;

import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import kv4j.cache.KvCache;
import kv4j.inference.Generation;
import kv4j.inference.GenerationRequest;
import kv4j.inference.InferenceEngine;
import kv4j.inference.pass.ForwardPass;

/**
 * A thread for each request that runs, whose forward passes take turns: each has one request's
 * tokens in it. Who waits longest for a pass gets the next, so that a long prompt delays others by
 * a chunk of it at a time.
 */
public final class LocalEngine implements Engine {
  private final InferenceEngine engine;
  private final KvCache cache;
  private final ReentrantLock turn = new ReentrantLock(true);
  private final ThreadPoolExecutor threads;
  private final int most;
  private final AtomicInteger taken = new AtomicInteger(); // those that run among them
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger named = new AtomicInteger();
  private volatile boolean closing;

  /**
   * @param maxRunning requests computed at once, at least 1
   * @param maxWaiting most requests kept waiting
   */
  public LocalEngine(InferenceEngine engine, KvCache cache, int maxRunning, int maxWaiting) {
    this.engine = engine;
    this.cache = cache;
    most = maxRunning + maxWaiting;
    threads =
        new ThreadPoolExecutor(
            maxRunning, maxRunning, 1, TimeUnit.MINUTES, new LinkedBlockingQueue<>(), this::thread);
    threads.allowCoreThreadTimeOut(true);
  }

  private Thread thread(Runnable work) {
    Thread thread = new Thread(work, "kv4j-request-" + named.incrementAndGet());
    thread.setDaemon(true);
    return thread;
  }

  @Override
  public Running start(GenerationRequest request, TokenListener listener)
      throws QueueFullException {
    if (taken.incrementAndGet() > most) {
      taken.decrementAndGet();
      throw new QueueFullException(load().waiting());
    }
    Task task = new Task(this, request, listener);
    try {
      threads.execute(task);
    } catch (RejectedExecutionException e) {
      taken.decrementAndGet();
      throw new IllegalStateException("the server is shutting down", e);
    }
    return task;
  }

  /** Drops a task that has not begun; false if it has. */
  boolean forget(Task task) {
    boolean waited = threads.remove(task);
    if (waited) {
      taken.decrementAndGet();
    }
    return waited;
  }

  /** A task has begun. */
  void begun() {
    running.incrementAndGet();
  }

  /** A task that had begun has ended, of which nobody has been told yet. */
  void ended() {
    taken.decrementAndGet();
    running.decrementAndGet();
  }

  Generation open(GenerationRequest request) {
    return new Generation(engine, cache, request, false);
  }

  /** Computes what a generation wants next; the token, if that gave one. */
  OptionalInt step(Generation generation, TokenListener listener) {
    float[][] rows;
    turn.lock();
    try {
      rows = engine.forward(new ForwardPass(List.of(generation.next(chunk()))));
    } finally {
      turn.unlock();
    }
    float[] row = rows.length == 0 ? null : rows[0];
    OptionalInt token = generation.take(row);
    if (token.isPresent() && !listener.token(token.getAsInt(), row)) {
      generation.stop();
    }
    return token;
  }

  @Override
  public Load load() {
    int now = running.get();
    return new Load(now, Math.max(0, taken.get() - now));
  }

  @Override
  public boolean drain(Duration patience) {
    threads.shutdown();
    try {
      if (threads.awaitTermination(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        return true;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    close();
    return false;
  }

  @Override
  public void close() {
    closing = true;
    threads.shutdown();
    boolean interrupted = false;
    // What runs ends after the pass it is in, and must not outlive the engine that it runs on.
    while (!threads.isTerminated()) {
      try {
        threads.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Most tokens of a prompt that one step computes. */
  int chunk() {
    return engine.options().prefillChunk();
  }

  /** Whether all requests are to come to their ends; those that wait then do so in their turn. */
  boolean isClosing() {
    return closing;
  }
}
