package kv4j.apps.serve.engine;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import kv4j.cache.KvCache;
import kv4j.inference.GenerationRequest;
import kv4j.inference.InferenceEngine;
import kv4j.inference.schedule.Scheduler;
import kv4j.inference.schedule.SchedulerEvent;
import kv4j.inference.schedule.SchedulerOptions;
import kv4j.inference.schedule.Submission;

/** An engine that has a {@link Scheduler} run all requests together. */
public final class ScheduledEngine implements Engine {
  private final Scheduler scheduler;
  private final int most;
  private final AtomicInteger taken = new AtomicInteger(); // those that run among them
  private final AtomicInteger running = new AtomicInteger();
  private final Map<Long, Task> tasks = new ConcurrentHashMap<>(); // by submission
  private final Object submitting =
      new Object(); // events of what is not yet in the map wait for it

  /**
   * @param maxRunning requests computed at once, at least 1
   * @param maxWaiting most requests kept waiting
   */
  public ScheduledEngine(InferenceEngine engine, KvCache cache, int maxRunning, int maxWaiting) {
    most = Math.addExact(maxRunning, maxWaiting);
    int rows = Math.max(engine.options().prefillChunk(), 2 * maxRunning);
    int overtakes = SchedulerOptions.defaults().maxOvertakes();
    SchedulerOptions options = new SchedulerOptions(rows, maxRunning, most, overtakes);
    scheduler = new Scheduler(engine, cache, options, this::happened);
  }

  @Override
  public Running start(GenerationRequest request, TokenListener listener)
      throws QueueFullException {
    if (taken.incrementAndGet() > most) {
      taken.decrementAndGet();
      throw new QueueFullException(load().waiting());
    }
    Task task;
    try {
      synchronized (submitting) {
        Submission submission = scheduler.submit(request, listener::token);
        task = new Task(submission, listener);
        tasks.put(submission.number(), task);
      }
    } catch (IllegalStateException e) {
      taken.decrementAndGet();
      throw new IllegalStateException("the server is shutting down", e);
    } catch (RuntimeException e) {
      taken.decrementAndGet();
      throw e;
    }
    task.completeBy(this::ended);
    return task;
  }

  private void happened(SchedulerEvent event) {
    Task task;
    synchronized (submitting) {
      task = tasks.get(event.request());
    }
    if (event instanceof SchedulerEvent.Started started) {
      run(task, true);
      task.listener().admitted(started.lookup());
    } else if (event instanceof SchedulerEvent.Prefilled prefilled) {
      task.listener().prefilled(prefilled.to());
    } else if (event instanceof SchedulerEvent.Preempted) {
      run(task, false);
    } else if (event instanceof SchedulerEvent.Resumed) {
      run(task, true);
    }
  }

  private void run(Task task, boolean runs) {
    if (task.run(runs)) {
      running.addAndGet(runs ? 1 : -1);
    }
  }

  /** A task has ended, of which nobody has been told yet, who may come again at once. */
  private void ended(Task task) {
    tasks.remove(task.number());
    run(task, false);
    taken.decrementAndGet();
  }

  @Override
  public Load load() {
    int now = running.get();
    return new Load(now, Math.max(0, taken.get() - now));
  }

  @Override
  public boolean drain(Duration patience) {
    return scheduler.drain(patience);
  }

  @Override
  public void close() {
    scheduler.close();
  }
}
