package kv4j.apps.serve.events;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.stream.LongStream;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats.Removal;
import kv4j.model.ByteTokenizer;
import kv4j.model.Tokenizer;
import org.junit.jupiter.api.Test;

class EventLogTest {
  private static final Tokenizer TOKENIZER = new ByteTokenizer();
  private static final Duration LONG = Duration.ofMinutes(1);

  private static CacheEvent event(long number) {
    return new CacheEvent.Removed(number, "", number, 0, 1, 1, 1, Removal.SIZE);
  }

  private static List<Long> ofCache(EventLog log, long after) throws InterruptedException {
    return log.after(after, Duration.ZERO).orElseThrow().stream()
        .map(EventLog.Entry::ofCache)
        .toList();
  }

  @Test
  void eventsOfTheCacheComeInTheOrderOfTheirNumbers() throws InterruptedException {
    long seed = System.nanoTime();
    List<Long> numbers = new ArrayList<>(LongStream.rangeClosed(1, 200).boxed().toList());
    List<Long> sorted = List.copyOf(numbers);
    Collections.shuffle(numbers, new Random(seed));
    EventLog log = new EventLog(TOKENIZER);
    numbers.forEach(number -> log.accept(event(number)));
    assertEquals(sorted, ofCache(log, 0), "seed " + seed);
    assertEquals(200, log.last());
  }

  @Test
  void aGapHoldsBackWhatComesAfterIt() throws InterruptedException {
    EventLog log = new EventLog(TOKENIZER);
    log.accept(event(2));
    log.add("queued", "", 0, JsonNodeFactory.instance::objectNode);
    assertEquals(List.of(0L), ofCache(log, 0));
    log.accept(event(1));
    assertEquals(List.of(0L, 1L, 2L), ofCache(log, 0));
    assertEquals(List.of(2L), ofCache(log, 2));
  }

  @Test
  void whoFallsTooFarBehindIsTold() throws InterruptedException {
    EventLog log = new EventLog(TOKENIZER, 10);
    for (int i = 1; i <= 25; i++) {
      log.accept(event(i));
    }
    assertTrue(log.has(15));
    assertFalse(log.has(14));
    assertFalse(log.has(26));
    assertEquals(10, ofCache(log, 15).size());
    assertEquals(Optional.empty(), log.after(14, Duration.ZERO));
    assertEquals(List.of(), ofCache(log, 25));
  }

  @Test
  void longPromptsMakeRoomToo() throws InterruptedException {
    EventLog log = new EventLog(TOKENIZER);
    for (int i = 1; i <= 5; i++) {
      log.accept(new CacheEvent.Inserted(i, "", false, i, 0, 0, new int[1 << 20], 1, 1, ""));
    }
    assertFalse(log.has(0));
    assertEquals(4, ofCache(log, 1).size());
  }

  @Test
  void whoWaitsIsWokenByTheNextEvent() throws Exception {
    EventLog log = new EventLog(TOKENIZER);
    CountDownLatch waiting = new CountDownLatch(1);
    List<EventLog.Entry> got = new ArrayList<>();
    Thread follower =
        new Thread(
            () -> {
              waiting.countDown();
              try {
                got.addAll(log.after(0, LONG).orElseThrow());
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    follower.start();
    waiting.await();
    log.accept(event(1));
    follower.join();
    assertEquals(1, got.size());
    assertEquals("removed", got.get(0).name());
    assertEquals("size", got.get(0).json().get().get("cause").textValue());
  }
}
