package kv4j.apps.serve.events;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import kv4j.cache.CacheEvent;
import kv4j.model.Tokenizer;

/**
 * The latest events of a server in one order, numbered from 1 on. Events of the cache arrive in any
 * order and are put into that of their numbers. Old events make room for new ones, whoever has not
 * read them yet. Thread-safe.
 */
public final class EventLog implements Consumer<CacheEvent> {
  private static final int MOST_EVENTS = 1 << 13;

  /** So that the tokens of long prompts do not take memory without end. */
  private static final long MOST_TOKENS = 1 << 22;

  private final Tokenizer tokenizer;
  private final int mostEvents;
  private final ArrayDeque<Entry> entries = new ArrayDeque<>();
  private final SortedMap<Long, CacheEvent> early = new TreeMap<>();
  private long tokens;
  private long last;
  private long lastOfCache;

  /**
   * An event.
   *
   * @param number of the log's own
   * @param name what kind of event it is
   * @param namespace the tenant concerned
   * @param ofCache number that the cache gave it; 0 for others
   * @param tokens how many it keeps in memory
   * @param time when it came, in ms since the epoch
   * @param json what it says, made when somebody asks
   */
  public record Entry(
      long number,
      String name,
      String namespace,
      long ofCache,
      int tokens,
      long time,
      Supplier<ObjectNode> json) {}

  /** As long as a follower is unlikely to fall behind by. */
  public EventLog(Tokenizer tokenizer) {
    this(tokenizer, MOST_EVENTS);
  }

  /**
   * @param tokenizer of the model whose tokens events tell of
   * @param mostEvents how many to keep
   */
  public EventLog(Tokenizer tokenizer, int mostEvents) {
    this.tokenizer = tokenizer;
    this.mostEvents = mostEvents;
  }

  @Override
  public synchronized void accept(CacheEvent event) {
    early.put(event.number(), event);
    while (!early.isEmpty() && early.firstKey() == lastOfCache + 1) {
      lastOfCache++;
      CacheEvent next = early.remove(lastOfCache);
      append(
          EventJson.name(next),
          next.namespace(),
          next.number(),
          EventJson.tokens(next),
          () -> EventJson.of(next, tokenizer));
    }
  }

  /**
   * Adds what happened to a request.
   *
   * @param namespace of its tenant
   * @param ofIt tokens that are kept to make the JSON of
   */
  public synchronized void add(String name, String namespace, int ofIt, Supplier<ObjectNode> json) {
    append(name, namespace, 0, ofIt, json);
  }

  private void append(
      String name, String namespace, long ofCache, int ofThem, Supplier<ObjectNode> json) {
    long time = System.currentTimeMillis();
    entries.add(new Entry(++last, name, namespace, ofCache, ofThem, time, json));
    tokens += ofThem;
    while (entries.size() > mostEvents || tokens > MOST_TOKENS) {
      tokens -= entries.remove().tokens;
    }
    notifyAll();
  }

  /** The number of the last event. */
  public synchronized long last() {
    return last;
  }

  /** Whether the events after a number are all still there. */
  public synchronized boolean has(long number) {
    return number >= last - entries.size() && number <= last;
  }

  /**
   * The events after a number.
   *
   * @param patience how long to wait for the first of them
   * @return none if there are none in time; empty if some are not kept any more
   */
  public synchronized Optional<List<Entry>> after(long number, Duration patience)
      throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    for (long left = patience.toNanos(); number >= last && left > 0; ) {
      TimeUnit.NANOSECONDS.timedWait(this, left);
      left = end - System.nanoTime();
    }
    if (!has(number)) {
      return Optional.empty();
    }
    List<Entry> after = new ArrayList<>();
    for (Iterator<Entry> latest = entries.descendingIterator(); after.size() < last - number; ) {
      after.add(latest.next());
    }
    Collections.reverse(after);
    return Optional.of(after);
  }
}
