package kv4j.inference.schedule;

import static kv4j.inference.EngineTestKit.concat;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.GenerationRequest;
import kv4j.inference.Sampling;
import kv4j.inference.schedule.ScheduleKit.Heard;
import kv4j.inference.schedule.ScheduledResult.End;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the scheduler promises, pass by pass: the tests themselves are its thread. */
class SchedulerTest {
  private static final int BLOCK = 16;
  private static ScheduleKit kit;

  private final SplittableRandom random = new SplittableRandom(3);
  private final List<SchedulerEvent> events = new ArrayList<>();
  private RadixKvCache cache = kit.radix(BLOCK, 1_000);
  private Scheduler scheduler;

  @BeforeAll
  static void start() {
    kit = new ScheduleKit(2);
  }

  @AfterAll
  static void stop() {
    kit.close();
  }

  @AfterEach
  void nothingIsHeld() {
    if (scheduler != null) {
      scheduler.close();
    }
    cache.checkIntegrity();
    assertEquals(0, cache.stats().storage().runningBytes());
    assertEquals(0, cache.stats().storage().pinnedBytes());
    cache.close();
  }

  private void schedule(int maxRows, int maxRunning) {
    schedule(new SchedulerOptions(maxRows, maxRunning, 100, 2));
  }

  private void schedule(SchedulerOptions options) {
    scheduler = Scheduler.stepped(kit.engine, cache, options, events::add);
  }

  private GenerationRequest request(int promptTokens, int newTokens) {
    return GenerationRequest.greedy(kit.randomTokens(random, promptTokens), newTokens);
  }

  private void steps(int count) {
    for (int i = 0; i < count; i++) {
      scheduler.step();
    }
  }

  /** Runs until nothing is left. */
  private void finish() {
    assertTrue(scheduler.drain(Duration.ofMinutes(1)));
  }

  private static ScheduledResult result(Submission submission) {
    return submission.result().join();
  }

  private <E extends SchedulerEvent> List<E> events(Class<E> type) {
    return events.stream().filter(type::isInstance).map(type::cast).toList();
  }

  @Test
  void whatIdenticalPromptsHaveInCommonIsComputedOnce() {
    schedule(40, 8);
    GenerationRequest request = request(96, 4);
    GenerationRequest foreign =
        new GenerationRequest(request.lookup().withNamespace("tenant"), 4, Sampling.GREEDY);
    GenerationRequest salted =
        new GenerationRequest(request.lookup().withSalt("salt"), 4, Sampling.GREEDY);
    List<Submission> alike =
        IntStream.range(0, 6).mapToObj(i -> scheduler.submit(request)).toList();
    List<Submission> others = List.of(scheduler.submit(foreign), scheduler.submit(salted));
    finish();
    for (Submission submission : alike) {
      boolean first = submission == alike.get(0);
      assertEquals(first ? 96 : 1, result(submission).computedPromptTokens());
      assertEquals(first ? 0 : 95, result(submission).generation().lookup().cachedTokens());
      assertArrayEquals(kit.alone(request), result(submission).generation().tokens());
    }
    for (Submission submission : others) {
      assertEquals(96, result(submission).computedPromptTokens());
    }
    assertEquals(3 * 96 + 5, scheduler.stats().computedPromptTokens());
  }

  @Test
  void whoSharesOnlyABeginningStartsAsSoonAsThatIsThere() {
    schedule(33, 4);
    int[] text = kit.randomTokens(random, 150);
    scheduler.submit(GenerationRequest.greedy(text, 1));
    int[] other = concat(Arrays.copyOf(text, 60), kit.randomTokens(random, 3));
    other[60] = (text[60] + 1) % 40;
    Submission sharing = scheduler.submit(GenerationRequest.greedy(other, 1));
    steps(2); // 66 of 150
    assertEquals(1, scheduler.stats().running());
    scheduler.step();
    assertTrue(sharing.result().isDone());
    assertEquals(3, result(sharing).computedPromptTokens());
    finish();
  }

  @Test
  void aShortPromptIsNotHeldUpByALongOneNorADecodeByEither() {
    schedule(41, 4);
    Heard decoding = new Heard();
    scheduler.submit(request(5, 30), decoding);
    scheduler.step();
    assertEquals(1, decoding.tokens.size());
    Submission longOne = scheduler.submit(request(180, 1));
    scheduler.step();
    Submission shortOne = scheduler.submit(request(30, 1));
    scheduler
        .step(); // 40 rows are left by the decode: 10 for the oldest prompt, 30 for the shortest
    assertTrue(shortOne.result().isDone());
    assertFalse(longOne.result().isDone());
    assertEquals(3, decoding.tokens.size());
    int steps = 0;
    for (; !longOne.result().isDone(); steps++) {
      scheduler.submit(request(30, 1)); // always a shorter one
      scheduler.step();
      assertEquals(4 + steps, decoding.tokens.size());
    }
    assertEquals(11, steps); // of 180 tokens 40, 10, 10 times 10, and no more than others need, 30
    finish();
  }

  @Test
  void theYoungestGivesWayAndGoesOnWithTheTokensItWouldHaveHad() {
    cache = kit.radix(BLOCK, 6);
    schedule(64, 4);
    GenerationRequest older = request(30, 40); // 69 tokens: 5 blocks
    GenerationRequest younger =
        new GenerationRequest(
            KvRequest.of(kit.randomTokens(random, 30)), 40, new Sampling(1, 0, 1, 0, 1.2, 64, 77));
    Heard heard = new Heard();
    Submission first = scheduler.submit(older);
    Submission second = scheduler.submit(younger, heard);
    finish();
    assertArrayEquals(kit.alone(older), result(first).generation().tokens());
    assertArrayEquals(kit.alone(younger), result(second).generation().tokens());
    assertArrayEquals(kit.alone(younger), heard.toArray());
    assertEquals(0, result(first).preempted());
    assertEquals(1, result(second).preempted());
    assertEquals(30, result(second).computedPromptTokens());
    assertEquals(0, result(second).generation().lookup().cachedTokens());
    assertEquals(1, scheduler.stats().preemptions());
    assertTrue(scheduler.stats().recomputedTokens() > 0);
    assertEquals(2, cache.stats().lookups().count());
    assertEquals(0, cache.stats().lookups().cachedTokens());
    assertEquals(1, events(SchedulerEvent.Preempted.class).size());
    assertEquals(second.number(), events(SchedulerEvent.Resumed.class).get(0).request());
  }

  @Test
  void whatIsPinnedForEverLeavesOneWithoutRoomToFailByItself() {
    cache = kit.radix(BLOCK, 6);
    schedule(64, 4);
    GenerationRequest pinned = request(64, 1);
    scheduler.submit(pinned);
    steps(1);
    KvRequest prefix = pinned.lookup().withModel(kit.model.fingerprint());
    assertEquals(64, cache.pin("for ever", prefix));
    Submission tooLong = scheduler.submit(request(40, 1));
    Submission growing = scheduler.submit(request(30, 10));
    Submission fits = scheduler.submit(request(20, 2));
    finish();
    for (Submission failed : List.of(tooLong, growing)) {
      Throwable cause = assertThrows(ExecutionException.class, failed::await).getCause();
      assertTrue(cause.getMessage().startsWith("there is no room in the cache"), cause::toString);
    }
    assertEquals(End.LENGTH, result(fits).end());
    assertEquals(2, scheduler.stats().failed());
    cache.unpin("for ever");
  }

  @Test
  void cancellingFreesBlocksWhereverTheRequestIs() {
    schedule(20, 2);
    GenerationRequest request = request(100, 5);
    Submission inPrompt = scheduler.submit(request);
    Submission generating = scheduler.submit(request(3, 50));
    Submission waiting = scheduler.submit(request(5, 5));
    steps(3);
    assertTrue(cache.stats().storage().runningBytes() > 0);
    for (Submission submission : List.of(inPrompt, generating, waiting)) {
      submission.cancel();
      submission.cancel();
    }
    scheduler.step();
    assertEquals(0, cache.stats().storage().runningBytes());
    for (Submission submission : List.of(inPrompt, generating, waiting)) {
      assertEquals(End.CANCELLED, result(submission).end());
    }
    assertEquals(0, result(inPrompt).generation().tokens().length);
    assertEquals(3, result(generating).generation().tokens().length);
    assertEquals(0, result(waiting).generation().lookup().cachedTokens());
    assertEquals(3, scheduler.stats().cancelled());
    assertEquals(2, cache.stats().lookups().count());

    Submission again = scheduler.submit(request); // what was computed is not lost
    finish();
    again.cancel();
    assertEquals(End.LENGTH, result(again).end());
    assertTrue(result(again).generation().lookup().cachedTokens() >= 3 * 10);
  }

  @Test
  void inTheMiddleOfAPassACancelledRequestEndsAtOnceIfNobodyElseNeedsThePass() {
    schedule(190, 4);
    Submission alone = scheduler.submit(request(190, 1));
    steps(2); // begun, and the first of two layers computed
    alone.cancel();
    scheduler.step();
    assertEquals(End.CANCELLED, result(alone).end());
    assertEquals(0, result(alone).computedPromptTokens());
    assertEquals(0, scheduler.stats().passes());
    assertEquals(0, cache.stats().storage().runningBytes());

    GenerationRequest needed = request(90, 1);
    Submission other = scheduler.submit(needed);
    Submission cancelled = scheduler.submit(request(100, 2));
    steps(2);
    cancelled.cancel();
    scheduler.step();
    assertTrue(other.result().isDone() && !cancelled.result().isDone());
    assertArrayEquals(kit.alone(needed), result(other).generation().tokens());
    scheduler.step();
    assertEquals(End.CANCELLED, result(cancelled).end());
    assertEquals(1, scheduler.stats().passes());
    assertEquals(100, result(cancelled).computedPromptTokens());
  }

  @Test
  void whoGeneratesGoesOnBetweenTheLayersOfALongPassWhichGetsItsTurn() {
    schedule(150, 4);
    Heard heard = new Heard();
    scheduler.submit(request(5, 50), heard);
    scheduler.step();
    Submission longOne = scheduler.submit(request(190, 1));
    List<Integer> told = new ArrayList<>();
    while (!longOne.result().isDone()) {
      scheduler.step();
      told.add(heard.tokens.size());
    }
    // begun, which runs nothing; a layer, a token, a layer; and the same with what is left
    assertEquals(List.of(1, 1, 2, 2, 3), told.subList(0, 5));
    finish();
  }

  @Test
  void aListenerThatThrowsFailsItsOwnRequestAlone() {
    schedule(64, 4);
    RuntimeException failure = new RuntimeException("listener");
    GenerationRequest request = request(20, 5);
    Submission failing =
        scheduler.submit(
            request(20, 5),
            (token, logits) -> {
              throw failure;
            });
    Submission other = scheduler.submit(request);
    finish();
    assertSame(failure, assertThrows(ExecutionException.class, failing::await).getCause());
    assertArrayEquals(kit.alone(request), result(other).generation().tokens());
    SchedulerEvent.Failed told = events(SchedulerEvent.Failed.class).get(0);
    assertEquals(new SchedulerEvent.Failed(failing.number(), failure), told);
  }

  @Test
  void aListenerMayStopAndSeesTheLogits() {
    schedule(64, 4);
    GenerationRequest request = request(20, 9);
    Heard heard = new Heard(3);
    Submission stopped =
        scheduler.submit(
            request,
            (token, logits) -> {
              for (float logit : logits) {
                assertTrue(logit <= logits[token]);
              }
              return heard.token(token, logits);
            });
    finish();
    assertEquals(End.STOPPED, result(stopped).end());
    assertArrayEquals(Arrays.copyOf(kit.alone(request), 3), heard.toArray());
    assertArrayEquals(heard.toArray(), result(stopped).generation().tokens());
  }

  @Test
  void whatCanNeverRunIsRefusedAtOnce() {
    cache = kit.radix(BLOCK, 6);
    schedule(64, 4);
    String context =
        assertThrows(IllegalArgumentException.class, () -> scheduler.submit(request(200, 1)))
            .getMessage();
    assertTrue(context.contains("do not fit the model's context of 200 tokens"), context);
    String limit =
        assertThrows(IllegalArgumentException.class, () -> scheduler.submit(request(95, 3)))
            .getMessage();
    assertEquals("the cache's size limit is below the keys and values of 97 tokens", limit);
    GenerationRequest unknown = GenerationRequest.greedy(new int[] {1, 40}, 1);
    assertThrows(IllegalArgumentException.class, () -> scheduler.submit(unknown));
    Submission largest = scheduler.submit(request(95, 2));
    finish();
    assertEquals(End.LENGTH, result(largest).end());
    try (KvCache other = kit.radix(BLOCK, 6)) {
      assertEquals(cache.layout(), other.layout());
    }
  }

  @Test
  void aFullQueueRefusesAndSaysWhenToTryAgain() {
    schedule(new SchedulerOptions(3, 2, 3, 0));
    for (int i = 0; i < 5; i++) {
      scheduler.submit(request(10, 3));
    }
    assertEquals(5, scheduler.stats().waiting());
    QueueFullException refusal =
        assertThrows(QueueFullException.class, () -> scheduler.submit(request(10, 3)));
    assertEquals(1, refusal.retrySeconds());
    assertEquals("3 requests are waiting already; try again in 1 s", refusal.getMessage());
    scheduler.step();
    assertEquals(2, scheduler.stats().running());
    assertEquals(3, scheduler.stats().waiting());
    assertThrows(QueueFullException.class, () -> scheduler.submit(request(10, 3)));
    while (scheduler.stats().finished() == 0) {
      scheduler.step();
    }
    scheduler.submit(request(10, 3));
    finish();
    assertEquals(6, scheduler.stats().finished());
  }

  @Test
  void whoHasMoreCachedStartsFirstButNobodyIsOvertakenForEver() {
    schedule(new SchedulerOptions(64, 1, 100, 2));
    GenerationRequest warm = request(60, 1);
    scheduler.submit(warm);
    finishWithoutClosing();
    long looked = cache.stats().lookups().count();
    Submission cold = scheduler.submit(request(60, 1));
    List<Submission> cached = IntStream.range(0, 4).mapToObj(i -> scheduler.submit(warm)).toList();
    finish();
    List<Long> order =
        events(SchedulerEvent.Started.class).stream().skip(1).map(e -> e.request()).toList();
    List<Long> expected =
        List.of(
            cached.get(0).number(),
            cached.get(1).number(),
            cold.number(),
            cached.get(2).number(),
            cached.get(3).number());
    assertEquals(expected, order);
    assertEquals(looked + 5, cache.stats().lookups().count()); // looking ahead is not counted
  }

  private void finishWithoutClosing() {
    while (scheduler.stats().running() + scheduler.stats().waiting() > 0) {
      scheduler.step();
    }
  }

  @Test
  void drainingLetsWhatIsAcceptedEndOrCancelsItInTheEnd() {
    schedule(64, 1);
    Submission running = scheduler.submit(request(10, 5));
    Submission waiting = scheduler.submit(request(10, 5));
    assertTrue(scheduler.drain(Duration.ofMinutes(1)));
    assertEquals(End.LENGTH, result(running).end());
    assertEquals(End.LENGTH, result(waiting).end());
    assertThrows(IllegalStateException.class, () -> scheduler.submit(request(10, 5)));

    schedule(64, 1);
    Submission late = scheduler.submit(request(10, 5));
    steps(2);
    assertFalse(scheduler.drain(Duration.ZERO));
    assertEquals(End.CANCELLED, result(late).end());
    assertEquals(2, result(late).generation().tokens().length);
    scheduler.close();
    scheduler.close();
  }

  @Test
  void eventsTellARequestsWholeStory() {
    schedule(17, 2);
    Submission one = scheduler.submit(request(40, 3));
    finish();
    long number = one.number();
    List<SchedulerEvent> expected =
        List.of(
            new SchedulerEvent.Queued(number, 40),
            new SchedulerEvent.Started(number, result(one).generation().lookup()),
            new SchedulerEvent.Prefilled(number, 0, 17),
            new SchedulerEvent.Prefilled(number, 17, 34),
            new SchedulerEvent.Prefilled(number, 34, 40),
            new SchedulerEvent.FirstToken(number, result(one).ttftNanos()),
            new SchedulerEvent.Finished(number, result(one)));
    assertEquals(expected, events);
    SchedulerStats stats = scheduler.stats();
    assertEquals(new SchedulerStats(0, 0, 1, 0, 0, 0, 0, 40, 0, 3, 5, 42), stats);
  }

  @Test
  void optionsAreValidated() {
    SchedulerOptions defaults = SchedulerOptions.defaults();
    assertTrue(defaults.maxRows() > defaults.maxRunning());
    assertThrows(IllegalArgumentException.class, () -> new SchedulerOptions(4, 4, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> new SchedulerOptions(4, 0, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> new SchedulerOptions(4, 1, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new SchedulerOptions(4, 1, 1, -1));
  }
}
