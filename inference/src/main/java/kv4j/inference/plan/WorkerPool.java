package kv4j.inference.plan;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A team of worker threads that all run the same task, each on its share, with barriers in between.
 * The caller is worker 0. Meant for one short task after another: workers spin for a moment before
 * they sleep. One task at a time: the caller must hold whatever lock makes that so.
 */
final class WorkerPool implements AutoCloseable {
  private static final int SPINS_BEFORE_YIELD = 2_000;
  private static final long SPIN_NANOS_BEFORE_PARK = 100_000;

  /** A share of a task. Every worker of the team gets the same task with its own number. */
  interface Task {
    void run(int worker);
  }

  private final int workers;
  private final Thread[] threads;
  private final AtomicInteger arrived = new AtomicInteger();
  private volatile int barrierGeneration;
  private volatile int taskGeneration;
  private volatile Task task;
  private volatile Throwable failure;
  private volatile boolean closed;

  WorkerPool(int workers) {
    this.workers = workers;
    threads = new Thread[workers - 1];
    for (int i = 0; i < threads.length; i++) {
      int worker = i + 1;
      threads[i] = new Thread(() -> work(worker), "kv4j-worker-" + worker);
      threads[i].setDaemon(true);
      threads[i].start();
    }
  }

  int workers() {
    return workers;
  }

  /** Runs a task on all workers and returns when all have ended. */
  void run(Task next) {
    failure = null;
    task = next;
    taskGeneration++;
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
    runShare(next, 0);
    barrier();
    Throwable thrown = failure;
    if (thrown != null) {
      task = null;
      throw thrown instanceof RuntimeException e
          ? e
          : new IllegalStateException("a worker failed: " + thrown, thrown);
    }
  }

  /**
   * Waits until all workers have come here. After a worker has failed, throws instead, so that
   * nobody waits for it.
   */
  void barrier() {
    if (workers == 1) {
      return;
    }
    int generation = barrierGeneration;
    if (arrived.incrementAndGet() == workers) {
      arrived.set(0);
      barrierGeneration = generation + 1;
      return;
    }
    int spins = 0;
    while (barrierGeneration == generation) {
      if (++spins < SPINS_BEFORE_YIELD) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  /** Whether a worker has failed: tasks check it after barriers, to end early together. */
  boolean failed() {
    return failure != null;
  }

  /** Records a failure; the worker must go on to every barrier its task has left. */
  void fail(Throwable thrown) {
    failure = thrown;
  }

  private void runShare(Task share, int worker) {
    try {
      share.run(worker);
    } catch (Throwable thrown) { // reported by run(), on the caller's thread
      fail(thrown);
    }
  }

  private void work(int worker) {
    int seen = 0;
    while (!closed) {
      long since = System.nanoTime();
      while (taskGeneration == seen && !closed) {
        if (System.nanoTime() - since > SPIN_NANOS_BEFORE_PARK) {
          LockSupport.park(this);
        } else {
          Thread.onSpinWait();
        }
      }
      if (closed) {
        return;
      }
      seen = taskGeneration;
      runShare(task, worker);
      barrier();
    }
  }

  @Override
  public void close() {
    closed = true;
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
  }
}
