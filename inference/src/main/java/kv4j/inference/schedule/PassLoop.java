package kv4j.inference.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Predicate;
import kv4j.cache.KvCache;
import kv4j.inference.InferenceEngine;
import kv4j.inference.pass.ForwardPass;
import kv4j.inference.pass.ForwardPass.Logits;
import kv4j.inference.pass.ForwardPass.Segment;
import kv4j.inference.schedule.ScheduledResult.End;

/**
 * Runs the requests that have been accepted, pass by pass. It owns all that changes of them; one
 * thread at a time may use it.
 */
final class PassLoop {
  private static final String NO_ROOM =
      "there is no room in the cache even for this request alone: what it holds is pinned by name,"
          + " or other users of the cache hold it";

  /** A running request's share of a pass. */
  private record Part(Job job, int rows) {}

  private final InferenceEngine engine;
  private final SchedulerOptions options;
  private final Consumer<SchedulerEvent> listener;
  private final WaitingLine line;
  private final Tally tally = new Tally();
  private final List<Job> running = new ArrayList<>(); // the oldest first
  private boolean full; // one more did not fit, and nobody has left since

  PassLoop(
      InferenceEngine engine,
      KvCache cache,
      SchedulerOptions options,
      Consumer<SchedulerEvent> listener) {
    this.engine = engine;
    this.options = options;
    this.listener = listener;
    line = new WaitingLine(new PrefixSharing(cache), options.maxOvertakes());
  }

  /**
   * Takes in what has arrived, lets go of what was cancelled, starts what may start, and runs one
   * pass.
   *
   * @param cancelAll whether every request counts as cancelled
   */
  void step(List<Job> arrived, boolean cancelAll) {
    arrived.forEach(line::add);
    for (Job job : arrived) {
      listener.accept(new SchedulerEvent.Queued(job.number(), job.promptTokens()));
    }
    for (Job job : all(job -> cancelAll || job.submission.isCancelled())) {
      end(job, End.CANCELLED);
    }
    admit();
    List<Part> parts = withRoom(shares());
    if (!parts.isEmpty()) {
      run(parts);
    }
  }

  /** Ends everything with an error. */
  void failAll(Throwable error) {
    all(job -> true).forEach(job -> fail(job, error));
  }

  private List<Job> all(Predicate<Job> which) {
    List<Job> jobs = line.remove(which);
    running.stream().filter(which).forEach(jobs::add);
    return jobs;
  }

  boolean isIdle() {
    return running.isEmpty() && line.size() == 0;
  }

  SchedulerStats stats() {
    return tally.stats(running.size(), line.size());
  }

  /** What a request takes from its start to its end, ns, on an average of the last ones. */
  double serviceNanos() {
    return tally.serviceNanos;
  }

  private void admit() {
    while (running.size() < options.maxRunning() && !full) {
      Job job = line.next(running);
      if (job == null) {
        return;
      }
      try {
        long now = System.nanoTime();
        if (job.generation.open()) {
          started(job, now);
        } else if (running.isEmpty()) {
          fail(job, new IllegalStateException(NO_ROOM));
        } else {
          full = true;
        }
      } catch (RuntimeException | Error e) {
        fail(job, e);
      }
    }
  }

  private void started(Job job, long now) {
    line.start(job);
    running.add(job);
    running.sort((one, other) -> Long.compare(one.number(), other.number()));
    job.shared = 0;
    if (job.hasStarted()) {
      listener.accept(new SchedulerEvent.Resumed(job.number(), job.generation.inPlace()));
    } else {
      job.start(now);
      tally.cachedPromptTokens += job.generation.lookup().cachedTokens();
      listener.accept(new SchedulerEvent.Started(job.number(), job.generation.lookup()));
    }
  }

  /** What each gets of the pass: all to one that is suspected of having failed another. */
  private List<Part> shares() {
    for (Job job : running) {
      if (job.suspectTo > 0) {
        return List.of(new Part(job, Math.min(job.generation.remaining(), options.maxRows())));
      }
    }
    int[] needed = running.stream().mapToInt(job -> job.generation.remaining()).toArray();
    int[] rows = RowBudget.share(needed, options.maxRows());
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < rows.length; i++) {
      if (rows[i] > 0) {
        parts.add(new Part(running.get(i), rows[i]));
      }
    }
    return parts;
  }

  /** Those that there is memory for; the youngest give way to the others. */
  private List<Part> withRoom(List<Part> parts) {
    for (Part part : parts) {
      while (running.contains(part.job) && !part.job.generation.reserve(part.rows)) {
        if (running.size() == 1) {
          fail(part.job, new IllegalStateException(NO_ROOM));
        } else {
          preempt(running.get(running.size() - 1));
        }
      }
    }
    return parts.stream().filter(part -> running.contains(part.job)).toList();
  }

  private void preempt(Job job) {
    int inPlace = job.generation.inPlace();
    try {
      job.generation.pause();
    } catch (RuntimeException | Error e) {
      fail(job, e);
      return;
    }
    running.remove(job);
    line.putBack(job);
    full = true;
    job.preempted++;
    tally.preemptions++;
    listener.accept(new SchedulerEvent.Preempted(job.number(), inPlace));
  }

  private void run(List<Part> parts) {
    List<Segment> segments =
        parts.stream().map(part -> part.job.generation.next(part.rows)).toList();
    float[][] logits;
    try {
      logits = engine.forward(new ForwardPass(segments));
    } catch (RuntimeException | Error e) {
      findCulprit(parts, segments, e);
      return;
    }
    tally.passes++;
    int row = 0;
    for (int i = 0; i < parts.size(); i++) {
      Segment segment = segments.get(i);
      boolean asked = segment.logits() != Logits.NONE;
      take(parts.get(i).job, segment, asked ? logits[row++] : null);
    }
  }

  /**
   * Fails the only request of a pass; of several nobody knows whose fault it was, nor how far each
   * has come. Then they begin anew from what is cached, each alone until it is past this pass.
   */
  private void findCulprit(List<Part> parts, List<Segment> segments, Throwable error) {
    for (int i = 0; i < parts.size(); i++) {
      Job job = parts.get(i).job;
      if (parts.size() == 1) {
        fail(job, error);
      } else {
        job.generation.close();
        job.suspectTo = segments.get(i).to();
        running.remove(job);
        line.putBack(job);
        full = false;
      }
    }
  }

  private void take(Job job, Segment segment, float[] row) {
    int before = job.computedPrompt();
    tally.recomputedTokens += job.computed(segment);
    tally.computedPromptTokens += job.computedPrompt() - before;
    tally.rows += segment.rows();
    job.suspectTo = segment.to() >= job.suspectTo ? 0 : job.suspectTo;
    OptionalInt token = job.generation.take(row);
    boolean goesOn;
    try {
      if (segment.from() < job.promptTokens()) {
        int to = Math.min(segment.to(), job.promptTokens());
        listener.accept(new SchedulerEvent.Prefilled(job.number(), segment.from(), to));
        job.listener.prefilled(to);
      }
      if (token.isEmpty()) {
        return;
      }
      tally.generatedTokens++;
      if (!job.hasToken()) {
        listener.accept(new SchedulerEvent.FirstToken(job.number(), job.firstToken()));
      }
      goesOn = job.listener.token(token.getAsInt(), row);
    } catch (RuntimeException | Error e) {
      fail(job, e);
      return;
    }
    if (!goesOn || job.generation.hasEnded()) {
      end(job, goesOn ? End.LENGTH : End.STOPPED);
    }
  }

  private void end(Job job, End end) {
    ScheduledResult result;
    try {
      result = job.finish(end);
    } catch (RuntimeException | Error e) {
      fail(job, e);
      return;
    }
    leave(job);
    tally.count(job, end);
    listener.accept(new SchedulerEvent.Finished(job.number(), result));
    job.submission.complete(result);
  }

  private void fail(Job job, Throwable error) {
    job.generation.close();
    leave(job);
    tally.failed++;
    listener.accept(new SchedulerEvent.Failed(job.number(), error));
    job.submission.fail(error);
  }

  private void leave(Job job) {
    full &= !running.remove(job);
    line.remove(other -> other == job);
  }
}
