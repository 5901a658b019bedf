package kv4j.cache.radix;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import kv4j.cache.CacheEvent;
import kv4j.cache.Lookup;

/**
 * What a JDK Flight Recorder recording shows of the cache. While no recording was ever made, no
 * event is touched: the first one of a process would take the recorder some 50 ms to get to know.
 */
final class FlightEvents {
  private FlightEvents() {}

  /** A lookup that is under way. */
  interface TimedLookup {
    /** It has come to its end. */
    void finish(String tenant, Lookup lookup);
  }

  /** Times a lookup from now on, if anybody records. */
  static TimedLookup begin() {
    if (!FlightRecorder.isInitialized()) {
      return (tenant, lookup) -> {};
    }
    LookupEvent event = new LookupEvent();
    event.begin();
    return event;
  }

  /** Timed from the beginning of a lookup to the sequence being ready. */
  @Name("kv4j.CacheLookup")
  @Label("KV Cache Lookup")
  @Category("kv4j")
  @StackTrace(false)
  static final class LookupEvent extends Event implements TimedLookup {
    String namespace;
    int promptTokens;
    int cachedTokens;
    String reason;

    @Override
    public void finish(String tenant, Lookup lookup) {
      end();
      if (shouldCommit()) {
        namespace = tenant;
        promptTokens = lookup.promptTokens();
        cachedTokens = lookup.cachedTokens();
        reason = lookup.reason().label();
        commit();
      }
    }
  }

  @Name("kv4j.CacheInsert")
  @Label("KV Cache Insert")
  @Category("kv4j")
  @StackTrace(false)
  static final class InsertEvent extends Event {
    String namespace;
    int tokens;
    int blocks;
    long bytes;
  }

  @Name("kv4j.CacheEvict")
  @Label("KV Cache Evict")
  @Category("kv4j")
  @StackTrace(false)
  static final class EvictEvent extends Event {
    String namespace;
    int tokens;
    int blocks;
    long bytes;
    String cause;
  }

  /** Records an insertion or removal; lookups record themselves. */
  static void record(CacheEvent event) {
    if (!FlightRecorder.isInitialized()) {
      return;
    }
    if (event instanceof CacheEvent.Inserted inserted) {
      InsertEvent flight = new InsertEvent();
      if (flight.shouldCommit()) {
        flight.namespace = inserted.namespace();
        flight.tokens = inserted.tokens().length;
        flight.blocks = inserted.entries();
        flight.bytes = inserted.bytes();
        flight.commit();
      }
    } else if (event instanceof CacheEvent.Removed removed && removed.entries() > 0) {
      EvictEvent flight = new EvictEvent();
      if (flight.shouldCommit()) {
        flight.namespace = removed.namespace();
        flight.tokens = removed.tokens();
        flight.blocks = removed.entries();
        flight.bytes = removed.bytes();
        flight.cause = removed.cause().name();
        flight.commit();
      }
    }
  }
}
