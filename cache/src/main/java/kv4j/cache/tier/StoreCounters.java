package kv4j.cache.tier;

import kv4j.cache.Lookup.Reason;
import kv4j.cache.store.StoreStats;

/** Counts what a store is asked and given. Thread-safe: every snapshot is of one moment. */
final class StoreCounters {
  private long asked;
  private long hits;
  private long askedTokens;
  private long hitTokens;
  private long readBytes;
  private long readNanos;
  private long notOpen;
  private long slower;
  private long late;
  private long damaged;
  private long failed;
  private long written;
  private long writtenBytes;
  private long writeNanos;
  private long writeFailed;
  private boolean writing = true; // the last block was taken, or none was offered yet
  private long dropped;

  /** A request was answered. */
  synchronized void fetched(int wantedTokens, int tokens, long nanos) {
    asked++;
    hits += tokens > 0 ? 1 : 0;
    askedTokens += wantedTokens;
    hitTokens += tokens;
    readNanos += nanos;
  }

  /** Why a request was not answered, or not in full. */
  synchronized void missed(Reason reason) {
    switch (reason) {
      case STORE_OPENING -> notOpen++;
      case STORE_SLOWER -> slower++;
      case STORE_DEADLINE -> late++;
      case STORE_FAILED -> failed++;
      default -> {} // damaged values are counted one by one
    }
  }

  synchronized void read(int bytes) {
    readBytes += bytes;
  }

  /** Whether it is the first. */
  synchronized boolean damaged() {
    return damaged++ == 0;
  }

  synchronized void written(int bytes, long nanos) {
    written++;
    writtenBytes += bytes;
    writeNanos += nanos;
    writing = true;
  }

  /** Whether it is the first after one that went well. */
  synchronized boolean writeFailed() {
    boolean first = writing;
    writing = false;
    writeFailed++;
    return first;
  }

  synchronized void dropped() {
    dropped++;
  }

  synchronized StoreStats snapshot(long queuedBytes, Rates rates) {
    return new StoreStats(
        asked,
        hits,
        askedTokens,
        hitTokens,
        readBytes,
        readNanos,
        notOpen,
        slower,
        late,
        damaged,
        failed,
        written,
        writtenBytes,
        writeNanos,
        writeFailed,
        dropped,
        queuedBytes,
        rates.readNanosPerToken(),
        rates.computeNanosPerToken());
  }
}
