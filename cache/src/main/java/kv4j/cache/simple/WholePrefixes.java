package kv4j.cache.simple;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import kv4j.cache.CacheEvent;
import kv4j.cache.CacheStats;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvRequest;
import kv4j.cache.Lookup;
import kv4j.cache.Lookup.Reason;
import kv4j.cache.LookupCounters;
import kv4j.cache.TreeSnapshot;
import kv4j.cache.simple.SimpleKvCache.KeyValue;
import kv4j.cache.simple.SimplePrefixCache.Prefix;

/**
 * Keeps or drops prefixes as a whole, as one is useful only with all its layers. Expiry and
 * eviction are therefore decided here; the {@link SimpleKvCache} underneath has no time to live and
 * is never given more than fits. Safe for use by many threads.
 */
final class WholePrefixes {
  /** Departed prefixes remembered, so that a miss can say why. */
  private static final int REMEMBERED = 256;

  /**
   * What a lookup found.
   *
   * @param layers keys and values of every layer, or none
   */
  record Found(Lookup lookup, List<KeyValue> layers) {}

  /** A prefix that is kept; times count operations, but for {@code time}, in nanoseconds. */
  private static final class Entry {
    final long id;
    final long inserted;
    final String label;
    long used;
    long hits;
    long time;

    Entry(long id, long operation, long now, String label) {
      this.id = id;
      this.label = label;
      inserted = operation;
      used = operation;
      time = now;
    }
  }

  final SimpleKvCache store;
  private final KvCacheConfig config;
  private final int layers;
  private final long ttl; // nanoseconds; 0: for ever
  private final Map<Prefix, Entry> kept = new LinkedHashMap<>();
  private final Map<Prefix, Reason> departed =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Prefix, Reason> eldest) {
          return size() > REMEMBERED;
        }
      };
  private final LookupCounters lookups = new LookupCounters();
  private final Map<Removal, Long> removed = new EnumMap<>(Removal.class);
  private List<CacheEvent> events = new ArrayList<>();
  private long now;
  private long operation;
  private long lastId;
  private long lastEvent;
  private long bytes;
  private long peakBytes;
  private long inserted;
  private long noRoom;
  private boolean closed;

  WholePrefixes(KvCacheConfig config) {
    this.config = config;
    layers = config.layout().layers();
    ttl = config.timeToLive().map(TimeUnit.NANOSECONDS::convert).orElse(0L);
    now = config.ticker().read();
    store = SimpleKvCache.builder().maxBytes(config.maxBytes()).build();
  }

  /** Looks up every layer of what a request's prompt begins with. */
  Found find(Prefix prefix, KvRequest request) {
    return locked(
        () -> {
          if (closed) {
            throw new IllegalStateException("the cache is closed");
          }
          Found found = findWhole(prefix, request.prompt().length);
          lookups.record(found.lookup);
          long run = found.layers.isEmpty() ? 0 : kept.get(prefix).id;
          events.add(
              new CacheEvent.Found(
                  ++lastEvent, prefix.namespace(), run, found.lookup, request.label()));
          return found;
        });
  }

  private Found findWhole(Prefix prefix, int promptTokens) {
    if (prefix.length() == 0) {
      return new Found(new Lookup(promptTokens, 0, Reason.NOT_KEPT, ""), List.of());
    }
    List<KeyValue> found = new ArrayList<>();
    for (int layer = 0; kept.containsKey(prefix) && layer < layers; layer++) {
      store.get(prefix, layer).ifPresentOrElse(found::add, () -> drop(prefix, Removal.EXPLICIT));
    }
    Entry entry = kept.get(prefix);
    if (entry == null) {
      return new Found(missing(prefix, promptTokens), List.of());
    }
    entry.used = operation;
    entry.hits++;
    entry.time = config.refreshOnHit() ? now : entry.time;
    int cached = Math.min(prefix.length(), promptTokens - 1);
    Reason reason = cached == promptTokens - 1 ? Reason.FULL : Reason.END_OF_STORED;
    return new Found(new Lookup(promptTokens, cached, reason, ""), found);
  }

  private Lookup missing(Prefix prefix, int promptTokens) {
    Reason reason = departed.get(prefix);
    if (reason == null) {
      reason =
          kept.keySet().stream().anyMatch(prefix::mayTellOf) ? Reason.OTHER_NAMESPACE : Reason.COLD;
    }
    String detail =
        reason == Reason.NO_ROOM
            ? "its %d tokens need %d of %d bytes"
                .formatted(prefix.length(), bytesOf(prefix), config.maxBytes())
            : "";
    return new Lookup(promptTokens, 0, reason, detail);
  }

  private long bytesOf(Prefix prefix) {
    return SimplePrefixCache.bytesForPrefix(config.layout(), prefix.length());
  }

  /** Stores every layer of a prefix, unless it is kept already or does not fit as a whole. */
  void store(Prefix prefix, String label, IntFunction<KeyValue> keysAndValues) {
    locked(
        () -> {
          if (!closed && !kept.containsKey(prefix)) {
            insert(prefix, label, keysAndValues);
          }
          return null;
        });
  }

  private void insert(Prefix prefix, String label, IntFunction<KeyValue> keysAndValues) {
    long needed = bytesOf(prefix);
    boolean fits = needed <= config.maxBytes();
    while (fits && bytes + needed > config.maxBytes()) {
      drop(victim(), Removal.SIZE);
    }
    for (int layer = 0; fits && layer < layers; layer++) {
      fits = store.put(prefix, layer, keysAndValues.apply(layer));
    }
    if (!fits) {
      forget(prefix);
      departed.put(prefix, Reason.NO_ROOM);
      noRoom++;
      return;
    }
    Entry entry = new Entry(++lastId, operation, now, label);
    kept.put(prefix, entry);
    departed.remove(prefix);
    bytes += needed;
    peakBytes = Math.max(peakBytes, bytes);
    inserted += layers;
    events.add(
        new CacheEvent.Inserted(
            ++lastEvent,
            prefix.namespace(),
            !prefix.salt().isEmpty(),
            entry.id,
            0,
            0,
            prefix.tokens().array(),
            layers,
            needed,
            label));
  }

  /** The prefix that the policy gives up first; among equals, the one used longest ago. */
  private Prefix victim() {
    Comparator<Map.Entry<Prefix, Entry>> byRank =
        Comparator.comparingLong(
            e -> {
              Entry entry = e.getValue();
              return config.policy().rank(entry.inserted, entry.used, entry.hits);
            });
    return kept.entrySet().stream()
        .min(byRank.thenComparingLong(e -> e.getValue().used))
        .orElseThrow()
        .getKey();
  }

  private void drop(Prefix prefix, Removal cause) {
    Entry entry = kept.remove(prefix);
    long freed = bytesOf(prefix);
    bytes -= freed;
    removed.merge(cause, (long) layers, Long::sum);
    forget(prefix);
    departed.remove(prefix); // so that it becomes the youngest
    if (cause != Removal.EXPLICIT) {
      departed.put(prefix, cause == Removal.EXPIRED ? Reason.EXPIRED : Reason.EVICTED);
    }
    events.add(
        new CacheEvent.Removed(
            ++lastEvent, prefix.namespace(), entry.id, 0, prefix.length(), layers, freed, cause));
  }

  private void forget(Prefix prefix) {
    for (int layer = 0; layer < layers; layer++) {
      store.remove(prefix, layer);
    }
  }

  void close() {
    locked(
        () -> {
          List.copyOf(kept.keySet()).forEach(prefix -> drop(prefix, Removal.EXPLICIT));
          closed = true;
          return null;
        });
  }

  CacheStats stats() {
    return locked(() -> new CacheStats(lookups.snapshot(), storage()));
  }

  private CacheStats.Storage storage() {
    long entries = (long) layers * kept.size();
    return new CacheStats.Storage(entries, bytes, peakBytes, 0, 0, inserted, removed, noRoom, 0);
  }

  TreeSnapshot snapshot() {
    return locked(
        () ->
            new TreeSnapshot(
                lastEvent,
                config.maxBytes(),
                storage(),
                Collections.emptySortedMap(),
                kept.entrySet().stream().map(e -> run(e.getKey(), e.getValue())).toList()));
  }

  private TreeSnapshot.Run run(Prefix prefix, Entry entry) {
    return new TreeSnapshot.Run(
        entry.id,
        0,
        prefix.namespace(),
        prefix.model(),
        !prefix.salt().isEmpty(),
        0,
        prefix.tokens().array(),
        layers,
        bytesOf(prefix),
        0,
        entry.hits,
        Duration.ofNanos(now - entry.time),
        entry.label);
  }

  /** Begins with what has expired; tells the listener afterwards, without the lock. */
  private <T> T locked(Supplier<T> action) {
    long time = config.ticker().read();
    List<CacheEvent> happened;
    try {
      synchronized (this) {
        now = time - now > 0 ? time : now;
        operation++;
        List.copyOf(kept.keySet()).stream()
            .filter(prefix -> ttl > 0 && now - kept.get(prefix).time >= ttl)
            .forEach(prefix -> drop(prefix, Removal.EXPIRED));
        return action.get();
      }
    } finally {
      synchronized (this) {
        happened = events;
        events = new ArrayList<>();
      }
      happened.forEach(config::tell);
    }
  }
}
