package kv4j.apps.measure;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import kv4j.apps.report.Progress;
import kv4j.apps.text.TextStream;
import kv4j.apps.workload.Restart;
import kv4j.apps.workload.Workload;
import kv4j.apps.workload.WorkloadReport;
import kv4j.apps.workload.WorkloadRequest;
import kv4j.cache.ExpectedHits;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvCaches;
import kv4j.cache.KvRequest;
import kv4j.cache.basic.NoCacheProvider;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.inference.GenerationRequest;
import kv4j.inference.GenerationResult;
import kv4j.inference.Generator;
import kv4j.inference.InferenceEngine;
import kv4j.inference.Sampling;

/**
 * Runs a workload without a prefix cache and with one, and measures what the cache bought.
 *
 * <p>Every request runs with the {@code request} cache and with the cache under test, one right
 * after the other, because a machine's speed drifts. Then the pass over what the cache should leave
 * to compute is timed alone: it is the {@code g} of the engine ceiling, whose {@code f} is the time
 * to first token of the same request with {@code request}, a prefill of the whole prompt. The first
 * request also runs with {@code none}, for a few tokens only, as it recomputes the whole sequence
 * for each. Caches start empty in each repeat, which ends, if that is asked for, with the same
 * requests several at a time. What a store is worth after a restart is measured at the end.
 */
public final class WorkloadRunner {
  private static final int NONE_NEW_TOKENS = 4;
  private static final int WARM_UP_REQUESTS = 3;
  private static final int WARM_UP_HITS = 9;
  private static final int MOST_WARM_SEQUENCES = 8;

  private final InferenceEngine engine;
  private final Workload workload;
  private final WorkloadOptions options;
  private final Progress progress;
  private final Consumer<KvCache> atEnd;
  private final RowTally none;
  private final RowTally request;
  private final List<RowTally> alongside;
  private final RowTally tested;
  private final Optional<RoundingTally> rounding;
  private final Timings warmPasses;
  private final Agreement agreement = new Agreement();
  private final int[] expectedTokens;
  private boolean expectationKnown;
  private final Optional<ConcurrentRun> concurrent;
  private final Optional<RestartRun> restart;
  private final List<GenerationResult> plainResults =
      new ArrayList<>(); // as many as a restart needs

  private WorkloadRunner(
      InferenceEngine engine,
      Workload workload,
      WorkloadOptions options,
      Progress progress,
      Optional<RestartRun> restart,
      Consumer<KvCache> atEnd) {
    this.engine = engine;
    this.restart = restart;
    this.workload = workload;
    this.options = options;
    this.progress = progress;
    this.atEnd = atEnd;
    int requests = workload.requests().size();
    none = new RowTally("none", 1, Math.min(NONE_NEW_TOKENS, workload.newTokens()));
    request = new RowTally("request", requests, workload.newTokens());
    alongside =
        options.alongside().stream()
            .map(cache -> new RowTally(cache.name(), requests, workload.newTokens()))
            .toList();
    tested = new RowTally(options.cache().name(), requests, workload.newTokens());
    rounding = RoundingTally.of(engine, options.config().layout());
    warmPasses = new Timings(requests);
    expectedTokens = new int[requests];
    concurrent =
        options.concurrency() == 1
            ? Optional.empty()
            : Optional.of(
                new ConcurrentRun(
                    engine,
                    options,
                    workload.requests().stream().map(r -> request(r, tested.newTokens())).toList(),
                    progress));
  }

  /**
   * Runs and measures.
   *
   * @param progress what to tell of so many steps, once the workload is known to fit
   * @param atEnd looks into the cache under test, at the end of each repeat
   * @throws IllegalArgumentException with one sentence if a prompt does not fit the model, or a
   *     cache refuses its configuration
   */
  public static WorkloadReport run(
      InferenceEngine engine,
      Workload workload,
      WorkloadOptions options,
      IntFunction<Progress> progress,
      Consumer<KvCache> atEnd) {
    workload.checkFits(engine.model().config());
    checkRoom(workload, options);
    if (options.concurrency() > 1) {
      int longest = workload.requests().stream().mapToInt(r -> r.prompt().length).max().orElse(0);
      ConcurrentRun.check(options, workload.requests().size(), longest + workload.newTokens() - 1);
    }
    try (Progress shown = progress.apply(steps(workload, options))) {
      Optional<RestartRun> restart =
          options.store().map(s -> new RestartRun(engine, options.config(), s, shown));
      try {
        return new WorkloadRunner(engine, workload, options, shown, restart, atEnd).run();
      } finally {
        restart.ifPresent(RestartRun::close);
      }
    }
  }

  /** A cache that cannot keep a single prefix would look like one that does not work. */
  private static void checkRoom(Workload workload, WorkloadOptions options) {
    int tokens =
        workload.requests().stream().mapToInt(WorkloadRequest::sharedPrefixTokens).max().orElse(0);
    KvCacheConfig config = options.config();
    for (KvCacheProvider provider : new CacheChoice(options.cache(), options.alongside()).all()) {
      long needed = provider.leastBytes(config.layout(), tokens);
      if (needed > config.maxBytes()) {
        throw new IllegalArgumentException(
            "the cache %s has a size limit of %d bytes, too small for one prefix of %d tokens, which takes %d"
                .formatted(provider.name(), config.maxBytes(), tokens, needed));
      }
    }
  }

  /** How many requests run in all. */
  private static int steps(Workload workload, WorkloadOptions options) {
    int requests = workload.requests().size();
    int atOnce = options.concurrency() == 1 ? 0 : 1;
    int rows = 2 + options.alongside().size() + atOnce;
    return atOnce * warmUpAtOnce(requests, options)
        + Math.min(WARM_UP_REQUESTS, requests)
        + Math.min(WARM_UP_HITS, requests)
        + options.repeat() * (1 + rows * requests)
        + (options.store().isPresent() ? RestartRun.steps(requests) : 0);
  }

  /** Enough for passes with as many requests as there will be. */
  private static int warmUpAtOnce(int requests, WorkloadOptions options) {
    return Math.min(Math.max(WARM_UP_HITS, options.concurrency()), requests);
  }

  private WorkloadReport run() {
    warmUp();
    for (int i = 0; i < options.repeat(); i++) {
      repeat();
    }
    return new Summary(engine.model().config(), workload, none, request, alongside, tested)
        .report(
            warmPasses.medians(),
            expectedTokens,
            expectationKnown,
            agreement,
            rounding.map(RoundingTally::result),
            concurrent.map(run -> run.result(tested)),
            restart.map(this::restart));
  }

  private Restart restart(RestartRun run) {
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < plainResults.size(); i++) {
      requests.add(request(workload.requests().get(i), plainResults.get(i).tokens().length));
    }
    return run.run(requests, plainResults);
  }

  /**
   * Runs the first requests on caches of their own, so that the code is compiled and paged in; more
   * of them with the cache under test, whose short passes are other code and cost less.
   */
  private void warmUp() {
    int hits = Math.min(WARM_UP_HITS, workload.requests().size());
    try (MeasuringKvCache plain = create(new RequestCacheProvider());
        MeasuringKvCache prefix = create(options.cache())) {
      for (int i = 0; i < hits; i++) {
        if (i < WARM_UP_REQUESTS) {
          generate(plain, request, i, text());
          progress.step("warming up");
        }
        generate(prefix, tested, i, text());
        progress.step("warming up");
      }
    }
    concurrent.ifPresent(run -> run.warmUp(warmUpAtOnce(workload.requests().size(), options)));
  }

  private void repeat() {
    Optional<ExpectedHits> expected = options.cache().expectedHits();
    expectationKnown = expected.isPresent();
    Map<String, WarmPass> warmSequences = new HashMap<>();
    int[][] answers = new int[workload.requests().size()][];
    try (MeasuringKvCache nothing = create(new NoCacheProvider());
        MeasuringKvCache plain = create(new RequestCacheProvider());
        MeasuringKvCache prefix = create(options.cache());
        Others others = new Others(options.alongside().stream().map(this::create).toList())) {
      for (int i = 0; i < workload.requests().size(); i++) {
        WorkloadRequest current = workload.requests().get(i);
        GenerationResult reference = measure(plain, request, i);
        GenerationResult cached = measure(prefix, tested, i);
        answers[i] = cached.tokens();
        if (restart.isPresent() && plainResults.size() < RestartRun.needed(answers.length)) {
          plainResults.add(reference);
        }
        agreement.compare(reference, cached);
        rounding.ifPresent(
            tally -> tally.compare(request(current, reference.tokens().length), reference));
        for (int other = 0; other < alongside.size(); other++) {
          agreement.compare(
              reference, measure(others.caches().get(other), alongside.get(other), i));
        }
        if (i == 0) {
          agreement.compare(reference, measure(nothing, none, i));
        }
        int cachedTokens = cached.lookup().cachedTokens();
        expectedTokens[i] = expected.map(e -> e.next(lookup(current))).orElse(cachedTokens);
        expected.ifPresent(e -> e.ran(lookup(current), cached.tokens()));
        warmPasses.add(
            i,
            expectedTokens[i] == 0
                ? reference.ttftNanos() / 1e6
                : warmPass(warmSequences, current).millis(current.prompt(), expectedTokens[i]));
      }
      atEnd.accept(prefix.measured());
      none.endRepeat(nothing);
      for (int other = 0; other < alongside.size(); other++) {
        alongside.get(other).endRepeat(others.caches().get(other));
      }
      request.endRepeat(plain);
      tested.endRepeat(prefix);
    }
    concurrent.ifPresent(run -> run.repeat(answers));
  }

  /**
   * The sequence on which to time a request's warm pass. Each group has its own, because prompts of
   * a group continue each other, so that little must be computed before a pass can be timed; groups
   * beyond the first few share one.
   */
  private WarmPass warmPass(Map<String, WarmPass> byGroup, WorkloadRequest request) {
    String key =
        byGroup.containsKey(request.group()) || byGroup.size() < MOST_WARM_SEQUENCES
            ? request.group()
            : byGroup.keySet().iterator().next();
    return byGroup.computeIfAbsent(
        key, group -> new WarmPass(engine::forward, options.config().layout()));
  }

  private GenerationResult measure(MeasuringKvCache cache, RowTally tally, int index) {
    TextStream text = text();
    GenerationResult result = generate(cache, tally, index, text);
    text.end();
    tally.add(index, result, text.text());
    progress.step(
        "request " + (index + 1) + " of " + workload.requests().size() + ", " + tally.cache());
    return result;
  }

  /**
   * @param text what is generated, which ends where the model ends it
   */
  private GenerationResult generate(
      MeasuringKvCache cache, RowTally tally, int index, TextStream text) {
    return new Generator(engine, cache)
        .generate(request(workload.requests().get(index), tally.newTokens()), true, text::next);
  }

  private TextStream text() {
    return new TextStream(engine.model().tokenizer(), List.of(), more -> {});
  }

  private GenerationRequest request(WorkloadRequest r, int newTokens) {
    return new GenerationRequest(lookup(r), newTokens, Sampling.GREEDY);
  }

  private KvRequest lookup(WorkloadRequest r) {
    return new KvRequest(
        r.prompt(), r.sharedPrefixTokens(), options.namespace(), "", options.salt());
  }

  /** Caches that are closed together. */
  private record Others(List<MeasuringKvCache> caches) implements AutoCloseable {
    @Override
    public void close() {
      caches.forEach(MeasuringKvCache::close);
    }
  }

  private MeasuringKvCache create(KvCacheProvider cache) {
    return new MeasuringKvCache(KvCaches.create(cache, options.config()));
  }
}
