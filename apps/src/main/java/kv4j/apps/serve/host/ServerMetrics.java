package kv4j.apps.serve.host;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import kv4j.cache.Lookup;
import kv4j.inference.schedule.ScheduledResult;
import kv4j.inference.schedule.Scheduler;
import kv4j.inference.schedule.SchedulerStats;

/** Figures of a server's requests, for Prometheus; those of its cache are apart. */
public final class ServerMetrics {
  /** Upper ends of histograms, in ms: from what one token takes to what a patient client takes. */
  private static final int[] BUCKETS = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000
  };

  private final MeterRegistry registry;
  private final Counter computed;
  private final Counter cached;
  private final Counter generated;
  private final Timer queue;
  private final Timer ttft;
  private final Timer tpot;
  private final Timer total;

  /** What becomes of requests. */
  public enum Outcome {
    /** All went well. */
    FINISHED,
    /** The client left, was too slow, or the server was stopped. */
    CANCELLED,
    /** Something broke. */
    FAILED,
    /** There was no room in the queue. */
    REJECTED
  }

  public ServerMetrics(MeterRegistry registry, Scheduler scheduler) {
    this.registry = registry;
    computed = promptTokens("computed");
    cached = promptTokens("cached");
    generated = Counter.builder("kv4j.generated.tokens").register(registry);
    queue = timer("kv4j.queue.time", "from a request to the beginning of its prefill");
    ttft = timer("kv4j.time.to.first.token", "from a request to its first token");
    tpot = timer("kv4j.time.per.output.token", "mean of a request's tokens after the first");
    total = timer("kv4j.request.time", "from a request to its end");
    gauge("kv4j.requests.running", "requests being computed", scheduler, SchedulerStats::running);
    gauge(
        "kv4j.requests.waiting",
        "requests waiting for their turn",
        scheduler,
        SchedulerStats::waiting);
    count(
        "kv4j.preemptions",
        "times that a running request made room for others, to go on later",
        scheduler,
        SchedulerStats::preemptions);
    count(
        "kv4j.recomputed.tokens",
        "tokens computed once more for requests that had made room",
        scheduler,
        SchedulerStats::recomputedTokens);
    for (Outcome outcome : Outcome.values()) {
      requests(outcome);
    }
  }

  private Counter promptTokens(String source) {
    return Counter.builder("kv4j.prompt.tokens")
        .description("prompt tokens, by where their keys and values came from")
        .tag("source", source)
        .register(registry);
  }

  private Timer timer(String name, String description) {
    Timer.Builder builder = Timer.builder(name).description(description);
    Duration[] buckets = new Duration[BUCKETS.length];
    for (int i = 0; i < buckets.length; i++) {
      buckets[i] = Duration.ofMillis(BUCKETS[i]);
    }
    return builder.serviceLevelObjectives(buckets).register(registry);
  }

  private void gauge(
      String name,
      String description,
      Scheduler scheduler,
      ToDoubleFunction<SchedulerStats> value) {
    Gauge.builder(name, scheduler, s -> value.applyAsDouble(s.stats()))
        .description(description)
        .register(registry);
  }

  private void count(
      String name,
      String description,
      Scheduler scheduler,
      ToDoubleFunction<SchedulerStats> count) {
    FunctionCounter.builder(name, scheduler, s -> count.applyAsDouble(s.stats()))
        .description(description)
        .register(registry);
  }

  private Counter requests(Outcome outcome) {
    return Counter.builder("kv4j.requests")
        .description("requests by what became of them")
        .tag("outcome", outcome.name().toLowerCase(Locale.ROOT))
        .register(registry);
  }

  /** Counts a request of which nothing came. */
  void count(Outcome outcome) {
    requests(outcome).increment();
  }

  /** Counts a request that has ended. */
  void count(ScheduledResult result) {
    boolean cancelled = result.end() == ScheduledResult.End.CANCELLED;
    count(cancelled ? Outcome.CANCELLED : Outcome.FINISHED);
    queue.record(result.queuedNanos(), TimeUnit.NANOSECONDS);
    total.record(result.totalNanos(), TimeUnit.NANOSECONDS);
    Lookup lookup = result.generation().lookup();
    if (lookup != null) { // it was started
      cached.increment(lookup.cachedTokens());
      computed.increment(result.computedPromptTokens());
    }
    int tokens = result.generation().tokens().length;
    generated.increment(tokens);
    if (tokens > 0) {
      ttft.record(result.ttftNanos(), TimeUnit.NANOSECONDS);
    }
    if (tokens > 1) {
      tpot.record(result.decodeNanos() / (tokens - 1), TimeUnit.NANOSECONDS);
    }
  }
}
