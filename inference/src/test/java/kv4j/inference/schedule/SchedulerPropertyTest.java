package kv4j.inference.schedule;

import static kv4j.inference.EngineTestKit.between;
import static kv4j.inference.EngineTestKit.forAll;
import static kv4j.inference.EngineTestKit.oneOf;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import kv4j.cache.CacheStats;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.EngineTestKit;
import kv4j.inference.GenerationRequest;
import kv4j.inference.Sampling;
import kv4j.inference.WatchedSequence;
import kv4j.inference.schedule.ScheduleKit.Heard;
import kv4j.inference.schedule.ScheduledResult.End;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whatever comes when, and however little memory there is, each request gets its own tokens. */
class SchedulerPropertyTest {
  private static final int SCHEDULES = 1_000;
  private static final int MOST_STEPS = 5_000;
  private static ScheduleKit kit;

  // Of all schedules: that what they are to exercise did come about.
  private int preemptions;
  private int cancelled;
  private int stopped;
  private int shared;
  private int recomputed;
  private int interleaved;

  @BeforeAll
  static void start() {
    kit = new ScheduleKit(1);
  }

  @AfterAll
  static void stop() {
    kit.close();
  }

  /** A request, when it comes, and when it is cancelled, counted in steps. */
  private record Arrival(
      GenerationRequest request, int[] expected, int step, int cancelStep, Heard heard) {}

  @Test
  void everyRequestGetsTheTokensThatItGetsAlone() {
    forAll(SCHEDULES, this::check);
    String seen =
        "%d preempted, %d cancelled, %d stopped, %d shared, %d recomputed, %d interleaved"
            .formatted(preemptions, cancelled, stopped, shared, recomputed, interleaved);
    assertTrue(
        IntStream.of(preemptions, cancelled, stopped, shared, recomputed, interleaved)
                .min()
                .orElse(0)
            > 100,
        seen);
  }

  private void check(SplittableRandom random) {
    List<Arrival> arrivals = arrivals(random);
    try (KvCache cache = cache(random, arrivals)) {
      List<SchedulerEvent> events = new ArrayList<>();
      Scheduler scheduler =
          Scheduler.stepped(
              kit.engine, watched(cache), options(random), between(random, 1, 12), events::add);
      List<Submission> submissions = run(scheduler, cache, arrivals);
      for (int i = 0; i < arrivals.size(); i++) {
        check(arrivals.get(i), submissions.get(i).result().join());
      }
      checkCounts(scheduler.stats(), submissions, events, cache);
      scheduler.close();
    }
  }

  private List<Arrival> arrivals(SplittableRandom random) {
    List<int[]> texts = new ArrayList<>(List.of(kit.randomTokens(random, 60)));
    List<Arrival> arrivals = new ArrayList<>();
    int count = between(random, 1, 8);
    int span = oneOf(random, List.of(0, 3, 15));
    for (int i = 0; i < count; i++) {
      int[] old = oneOf(random, texts);
      int[] prompt =
          EngineTestKit.concat(
              Arrays.copyOf(old, between(random, 0, old.length)),
              kit.randomTokens(random, between(random, i == 0 ? 1 : 0, 12)));
      prompt = prompt.length == 0 ? old : prompt;
      texts.add(prompt);
      KvRequest lookup =
          new KvRequest(
              prompt,
              between(random, 0, prompt.length),
              oneOf(random, List.of("", "", "tenant")),
              "",
              oneOf(random, List.of("", "", "", "salt")));
      GenerationRequest request =
          new GenerationRequest(lookup, between(random, 1, 14), sampling(random));
      Heard heard = between(random, 0, 5) == 0 ? new Heard(between(random, 1, 6)) : new Heard();
      int step = between(random, 0, span);
      int cancelStep =
          between(random, 0, 5) == 0 ? step + between(random, 0, 12) : Integer.MAX_VALUE;
      arrivals.add(new Arrival(request, kit.alone(request), step, cancelStep, heard));
    }
    return arrivals;
  }

  private static Sampling sampling(SplittableRandom random) {
    return oneOf(
        random,
        List.of(
            Sampling.GREEDY,
            new Sampling(0.9, random.nextLong()),
            new Sampling(1.2, 10, 0.95, 0, 1.1, 8, random.nextLong())));
  }

  private static SchedulerOptions options(SplittableRandom random) {
    int running = between(random, 1, 6);
    return new SchedulerOptions(
        running + between(random, 1, 30), running, 100, between(random, 0, 3));
  }

  /** Mostly a radix cache in which the largest request barely fits, or some more. */
  private static KvCache cache(SplittableRandom random, List<Arrival> arrivals) {
    int blockTokens = oneOf(random, List.of(1, 4, 7, 16));
    if (between(random, 0, 7) == 0) {
      String name = oneOf(random, List.of("none", "request", "simple", "last-prompt"));
      return EngineTestKit.providers().get(name).create(kit.config(blockTokens, 1_000));
    }
    int largest =
        arrivals.stream()
            .mapToInt(a -> a.request.prompt().length + a.request.newTokens() - 1)
            .max()
            .orElseThrow();
    int least = (largest + blockTokens - 1) / blockTokens;
    return kit.radix(blockTokens, least + between(random, 0, random.nextBoolean() ? 3 : 60));
  }

  /** Counts passes in whose middle others have begun and ended. */
  private KvCache watched(KvCache cache) {
    Map<KvSequence, Integer> begun = new IdentityHashMap<>(); // by their number
    int[] passes = {0};
    int[] lastEnded = {-1};
    return new WatchedCache(
        cache,
        (request, sequence) ->
            new WatchedSequence(
                sequence,
                layer -> {
                  if (layer == 0) {
                    begun.put(sequence, passes[0]++);
                    return;
                  }
                  int own = begun.get(sequence);
                  interleaved += lastEnded[0] > own ? 1 : 0;
                  lastEnded[0] = Math.max(lastEnded[0], own);
                }));
  }

  private static List<Submission> run(Scheduler scheduler, KvCache cache, List<Arrival> arrivals) {
    Submission[] submissions = new Submission[arrivals.size()];
    boolean done = false;
    for (int step = 0; !done; step++) {
      done = true;
      for (int i = 0; i < submissions.length; i++) {
        Arrival arrival = arrivals.get(i);
        if (arrival.step == step) {
          submissions[i] = scheduler.submit(arrival.request, arrival.heard);
        }
        if (arrival.cancelStep == step) {
          submissions[i].cancel();
        }
      }
      scheduler.step();
      for (Submission submission : submissions) {
        done &= submission != null && submission.result().isDone();
      }
      if (cache instanceof RadixKvCache radix) {
        radix.checkIntegrity();
      }
      assertTrue(step < MOST_STEPS, "it never ends");
    }
    return List.of(submissions);
  }

  private void check(Arrival arrival, ScheduledResult result) {
    int[] tokens = result.generation().tokens();
    assertArrayEquals(tokens, arrival.heard.toArray(), "told");
    assertArrayEquals(Arrays.copyOf(arrival.expected, tokens.length), tokens, "generated");
    if (result.end() == End.LENGTH) {
      assertEquals(arrival.expected.length, tokens.length);
    }
    assertTrue(result.end() != End.CANCELLED || arrival.cancelStep < Integer.MAX_VALUE);
    int prompt = arrival.request.prompt().length;
    int cached = result.generation().lookup().cachedTokens();
    assertTrue(cached < prompt, cached + " cached of " + prompt);
    if (tokens.length > 0) {
      assertEquals(prompt, cached + result.computedPromptTokens(), "cached + computed");
      assertEquals(result.ttftNanos(), result.queuedNanos() + result.prefillNanos());
    }
    assertTrue(result.totalNanos() >= result.ttftNanos());
  }

  private void checkCounts(
      SchedulerStats stats,
      List<Submission> submissions,
      List<SchedulerEvent> events,
      KvCache cache) {
    List<ScheduledResult> results = submissions.stream().map(s -> s.result().join()).toList();
    assertEquals(0, stats.running() + stats.waiting() + stats.failed());
    assertEquals(submissions.size(), stats.finished() + stats.cancelled());
    assertEquals(
        results.stream().mapToLong(ScheduledResult::computedPromptTokens).sum(),
        stats.computedPromptTokens());
    assertEquals(
        results.stream().mapToLong(r -> r.generation().tokens().length).sum(),
        stats.generatedTokens());
    assertEquals(results.stream().mapToLong(ScheduledResult::preempted).sum(), stats.preemptions());
    long starts = events.stream().filter(SchedulerEvent.Started.class::isInstance).count();
    CacheStats.Lookups lookups = cache.stats().lookups();
    CacheStats.Storage storage = cache.stats().storage();
    assertEquals(starts, lookups.count(), "what goes on is not looked up another time");
    assertEquals(stats.cachedPromptTokens(), lookups.cachedTokens());
    assertEquals(0, storage.runningBytes() + storage.pinnedBytes());
    preemptions += (int) stats.preemptions();
    cancelled += (int) stats.cancelled();
    stopped += (int) results.stream().filter(r -> r.end() == End.STOPPED).count();
    shared += cache instanceof RadixKvCache ? (int) lookups.hits() : 0;
    recomputed += cache instanceof RadixKvCache ? (int) stats.recomputedTokens() : 0;
  }
}
