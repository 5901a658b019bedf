package kv4j.apps.measure;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.function.ToLongFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import kv4j.apps.report.Progress;
import kv4j.apps.workload.Spread;
import kv4j.apps.workload.WorkloadReport.Concurrent;
import kv4j.apps.workload.WorkloadReport.Side;
import kv4j.cache.KvCache;
import kv4j.cache.KvCaches;
import kv4j.inference.GenerationRequest;
import kv4j.inference.InferenceEngine;
import kv4j.inference.schedule.ScheduledResult;
import kv4j.inference.schedule.Scheduler;
import kv4j.inference.schedule.SchedulerOptions;
import kv4j.inference.schedule.SchedulerStats;
import kv4j.inference.schedule.Submission;

/**
 * Runs a workload's requests several at a time through a {@link Scheduler}, on the cache under
 * test, empty at first. As many clients submit the requests in order, each its next one as soon as
 * its last has ended. All prompts are fixed beforehand, those of agents too, so that none has to
 * wait for the answer to another.
 */
final class ConcurrentRun {
  private static final Duration UNTIL_IDLE = Duration.ofMinutes(1); // all have ended before
  private static final String LABEL = "request %d of %d, %d at a time";

  private record Outcome(List<ScheduledResult> results, SchedulerStats stats, double totalMs) {}

  private final InferenceEngine engine;
  private final WorkloadOptions options;
  private final List<GenerationRequest> requests;
  private final Progress progress;
  private final Timings ttft;
  private final Timings latency;
  private final List<Double> totals = new ArrayList<>();
  private boolean identical = true;
  private Outcome last;

  ConcurrentRun(
      InferenceEngine engine,
      WorkloadOptions options,
      List<GenerationRequest> requests,
      Progress progress) {
    this.engine = engine;
    this.options = options;
    this.requests = requests;
    this.progress = progress;
    ttft = new Timings(requests.size());
    latency = new Timings(requests.size());
  }

  /**
   * Makes sure that there is room for each request by itself, and that there are requests enough.
   *
   * @throws IllegalArgumentException with one sentence if not
   */
  static void check(WorkloadOptions options, int requests, int longest) {
    if (options.concurrency() > requests) {
      throw new IllegalArgumentException(
          "%d requests at a time are more than the workload's %d"
              .formatted(options.concurrency(), requests));
    }
    try (KvCache cache = create(options)) {
      if (!cache.canHold(longest)) {
        throw new IllegalArgumentException(
            "the cache %s has a size limit of %d bytes, too small for the longest request's %d tokens, which running requests count against it"
                .formatted(options.cache().name(), options.config().maxBytes(), longest));
      }
    }
  }

  private static KvCache create(WorkloadOptions options) {
    return KvCaches.create(options.cache(), options.config());
  }

  /** Runs the first requests, for nothing but to have passes of several requests compiled. */
  void warmUp(int count) {
    List<GenerationRequest> first = requests.subList(0, count);
    run(first, first.stream().map(request -> new TokenCheck(new int[0])).toList(), "warming up");
  }

  /**
   * Runs all and measures.
   *
   * @param alone the tokens that each request got alone
   */
  void repeat(int[][] alone) {
    List<TokenCheck> checks =
        IntStream.range(0, alone.length).mapToObj(i -> new TokenCheck(alone[i])).toList();
    List<GenerationRequest> wanted = new ArrayList<>();
    for (int i = 0; i < alone.length; i++) {
      GenerationRequest request = requests.get(i);
      wanted.add(new GenerationRequest(request.lookup(), alone[i].length, request.sampling()));
    }
    last = run(wanted, checks, LABEL);
    totals.add(last.totalMs());
    for (int i = 0; i < alone.length; i++) {
      ScheduledResult result = last.results().get(i);
      ttft.add(i, result.ttftNanos() / 1e6);
      latency.add(i, result.totalNanos() / 1e6);
      identical &= checks.get(i).agrees() && result.generation().tokens().length == alone[i].length;
    }
  }

  private Outcome run(List<GenerationRequest> wanted, List<TokenCheck> checks, String label) {
    int most = options.concurrency();
    SchedulerOptions usual = SchedulerOptions.defaults();
    SchedulerOptions passes =
        new SchedulerOptions(usual.maxRows(), most, usual.maxWaiting(), usual.maxOvertakes());
    try (KvCache cache = create(options);
        Scheduler scheduler = new Scheduler(engine, cache, passes)) {
      Semaphore clients = new Semaphore(most);
      List<Submission> submissions = new ArrayList<>();
      long start = System.nanoTime();
      for (int i = 0; i < wanted.size(); i++) {
        clients.acquireUninterruptibly();
        Submission submission = scheduler.submit(wanted.get(i), checks.get(i));
        submission.result().whenComplete((result, error) -> clients.release());
        submissions.add(submission);
        progress.step(label.formatted(i + 1, wanted.size(), most));
      }
      List<ScheduledResult> results = submissions.stream().map(ConcurrentRun::await).toList();
      double totalMs = (System.nanoTime() - start) / 1e6;
      scheduler.drain(UNTIL_IDLE); // the last pass is counted only when it is over
      return new Outcome(results, scheduler.stats(), totalMs);
    }
  }

  private static ScheduledResult await(Submission submission) {
    try {
      return submission.result().join();
    } catch (CompletionException e) {
      throw new IllegalStateException(
          "request " + submission.number() + " failed among others: " + e.getCause().getMessage(),
          e.getCause());
    }
  }

  /**
   * What that measured.
   *
   * @param alone the same requests one at a time
   */
  Concurrent result(RowTally alone) {
    List<ScheduledResult> results = last.results();
    long prompt =
        IntStream.range(0, requests.size()).mapToLong(i -> alone.lookup(i).promptTokens()).sum();
    Side before =
        side(
            DoubleStream.of(alone.latency()).sum(),
            prompt,
            IntStream.range(0, requests.size())
                .mapToLong(i -> alone.lookup(i).cachedTokens())
                .sum(),
            IntStream.range(0, requests.size()).mapToLong(i -> alone.generated(i).length).sum(),
            alone.ttft(),
            alone.latency());
    Side now =
        side(
            Spread.of(totals).median(),
            prompt,
            sum(results, result -> result.generation().lookup().cachedTokens()),
            sum(results, result -> result.generation().tokens().length),
            ttft.medians(),
            latency.medians());
    return new Concurrent(
        options.concurrency(),
        before,
        now,
        before.totalMs() / now.totalMs(),
        sum(results, ScheduledResult::computedPromptTokens),
        last.stats().recomputedTokens(),
        last.stats().preemptions(),
        last.stats().passes(),
        identical);
  }

  private static long sum(List<ScheduledResult> results, ToLongFunction<ScheduledResult> of) {
    return results.stream().mapToLong(of).sum();
  }

  private static Side side(
      double totalMs, long prompt, long cached, long generated, double[] ttft, double[] latency) {
    return new Side(
        totalMs,
        prompt,
        cached,
        generated,
        1000 * prompt / totalMs,
        1000 * generated / totalMs,
        (double) cached / prompt,
        Spread.of(ttft),
        Spread.of(latency));
  }
}
