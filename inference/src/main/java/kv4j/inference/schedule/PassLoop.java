package kv4j.inference.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import kv4j.cache.KvCache;
import kv4j.inference.InferenceEngine;
import kv4j.inference.pass.ForwardPass.Logits;
import kv4j.inference.pass.ForwardPass.Segment;
import kv4j.inference.schedule.ScheduledResult.End;

/**
 * Runs the requests that have been accepted, pass by pass; a long pass layer by layer, with short
 * ones in between. It owns all that changes of them; one thread at a time may use it.
 */
final class PassLoop {
  private static final String NO_ROOM =
      "there is no room in the cache even for this request alone: what it holds is pinned by name,"
          + " or other users of the cache hold it";

  private final SchedulerOptions options;
  private final Consumer<SchedulerEvent> listener;
  private final Planner planner;
  private final LongPass longPass;
  private final WaitingLine line;
  private final Tally tally = new Tally();
  private final List<Job> running = new ArrayList<>(); // the oldest first
  private boolean full; // one more did not fit, and nobody has left since

  /**
   * @param urgentRows as {@link Planner}'s
   * @param clock for the share of time that a long pass gets
   */
  PassLoop(
      InferenceEngine engine,
      KvCache cache,
      SchedulerOptions options,
      int urgentRows,
      Consumer<SchedulerEvent> listener,
      LongSupplier clock) {
    this.options = options;
    planner = new Planner(options.maxRows(), urgentRows);
    this.listener = listener;
    longPass = new LongPass(engine, clock);
    line = new WaitingLine(new PrefixSharing(cache), options.maxOvertakes());
  }

  /**
   * Takes in what has arrived, lets go of what was cancelled, starts what may start, and runs a
   * short pass or a layer of the long one.
   *
   * @param cancelAll whether every request counts as cancelled
   */
  void step(List<Job> arrived, boolean cancelAll) {
    arrived.forEach(line::add);
    for (Job job : arrived) {
      listener.accept(new SchedulerEvent.Queued(job.number(), job.promptTokens()));
    }
    endCancelled(job -> cancelAll || job.submission.isCancelled());
    admit();
    if (longPass.shares().isEmpty()) {
      List<Share> shares = withRoom(planner.next(running));
      longPass.set(planner.ofLong(shares));
      if (longPass.shares().isEmpty()) {
        runShort(shares);
      }
    } else if (longPass.isDue() || !runShort(withRoom(planner.urgent(running, longPass)))) {
      run(longPass.shares(), longPass::advance);
    }
  }

  /** Whoever is in the middle of a pass stays until its end, unless all of it are cancelled. */
  private void endCancelled(Predicate<Job> cancelled) {
    if (longPass.shares().stream().map(Share::job).allMatch(cancelled)) {
      longPass.giveUp();
    }
    all(job -> cancelled.test(job) && !longPass.holds(job)).forEach(job -> end(job, End.CANCELLED));
  }

  /** Ends everything with an error. */
  void failAll(Throwable error) {
    longPass.giveUp();
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

  /** Those that there is memory for, now that others may have given way. */
  private List<Share> withRoom(List<Share> shares) {
    List<Share> fitting = new ArrayList<>(shares);
    fitting.removeIf(share -> !makeRoom(share));
    fitting.removeIf(share -> !running.contains(share.job()));
    return fitting;
  }

  /**
   * Has the youngest give way until there is memory for a share, or it is the youngest itself.
   *
   * @return whether there is; not if the youngest is in the middle of the long pass
   */
  private boolean makeRoom(Share share) {
    Job job = share.job();
    while (running.contains(job) && !job.generation.reserve(share.rows())) {
      Job youngest = running.get(running.size() - 1);
      if (longPass.holds(youngest)) {
        return false;
      }
      if (running.size() == 1) {
        fail(job, new IllegalStateException(NO_ROOM));
      } else {
        preempt(youngest);
      }
    }
    return running.contains(job);
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

  /** Runs a pass at once, and says whether there was anything to run. */
  private boolean runShort(List<Share> shares) {
    if (!shares.isEmpty()) {
      run(shares, () -> longPass.leaveFor(shares));
    }
    return !shares.isEmpty();
  }

  private void run(List<Share> shares, Supplier<Optional<float[][]>> pass) {
    Optional<float[][]> logits;
    try {
      logits = pass.get();
    } catch (RuntimeException | Error e) {
      findCulprit(shares, e);
      return;
    }
    logits.ifPresent(rows -> take(shares, rows));
  }

  /**
   * Fails the only request of a pass; of several nobody knows whose fault it was, nor how far each
   * has come. Then they begin anew from what is cached, each alone until it is past this pass.
   */
  private void findCulprit(List<Share> shares, Throwable error) {
    for (Share share : shares) {
      Job job = share.job();
      if (shares.size() == 1) {
        fail(job, error);
      } else {
        job.generation.close();
        job.suspectTo = share.segment().to();
        running.remove(job);
        line.putBack(job);
        full = false;
      }
    }
  }

  private void take(List<Share> shares, float[][] logits) {
    tally.passes++;
    int row = 0;
    for (Share share : shares) {
      boolean asked = share.segment().logits() != Logits.NONE;
      take(share.job(), share.segment(), asked ? logits[row++] : null);
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
