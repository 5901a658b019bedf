package kv4j.cache.simple;

import com.github.benmanes.caffeine.cache.RemovalCause;
import com.github.benmanes.caffeine.cache.Ticker;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import kv4j.cache.CacheStats;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.Lookup.Reason;
import kv4j.cache.LookupCounters;
import kv4j.cache.block.KvLayout;
import kv4j.cache.simple.SimpleKvCache.KeyValue;
import kv4j.cache.simple.SimplePrefixCache.Prefix;

/**
 * Keeps prefixes whole: one is of use only if all its layers are there. So when a layer expires in
 * the {@link SimpleKvCache} the others follow, and room is made here, by dropping the prefixes used
 * longest ago, before the store would evict single layers of several. Every call to the store is
 * made under this object's lock, so what the store reports arrives under it too.
 */
final class WholePrefixes {
  /** Departed prefixes remembered, so that a miss can say why. */
  private static final int REMEMBERED = 256;

  /**
   * What a lookup found.
   *
   * @param layers keys and values of every layer, or none
   * @param missReason why there are none
   * @param detail a clause about it, perhaps empty
   */
  record Found(List<KeyValue> layers, Reason missReason, String detail) {}

  final SimpleKvCache store;
  private final KvLayout layout;
  private final long maxBytes;

  /** Least recently used first. */
  private final Set<Prefix> kept = new LinkedHashSet<>();

  private final Set<Prefix> expired = new LinkedHashSet<>();
  private final Map<Prefix, Reason> departed =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Prefix, Reason> eldest) {
          return size() > REMEMBERED;
        }
      };
  private final Map<Removal, Long> removed = new EnumMap<>(Removal.class);
  private Removal dropCause = Removal.EXPLICIT;
  private long peakBytes;

  WholePrefixes(KvCacheConfig config, Ticker ticker) {
    layout = config.layout();
    maxBytes = config.maxBytes();
    SimpleKvCache.Builder builder =
        SimpleKvCache.builder().maxBytes(maxBytes).ticker(ticker).removalListener(this::layerLeft);
    config.timeToLive().ifPresent(builder::timeToLive);
    store = builder.build();
  }

  /** Looks up every layer of a prefix. */
  synchronized Found find(Prefix prefix) {
    dropExpired();
    if (!kept.contains(prefix)) {
      return missing(prefix);
    }
    List<KeyValue> layers = new ArrayList<>();
    for (int layer = 0; layer < layout.layers(); layer++) {
      Optional<KeyValue> kv = store.get(prefix, layer);
      if (kv.isEmpty()) { // it expired a moment ago
        drop(prefix, Removal.EXPIRED);
        return missing(prefix);
      }
      layers.add(kv.get());
    }
    kept.remove(prefix);
    kept.add(prefix); // now the most recently used
    return new Found(layers, Reason.FULL, "");
  }

  /** Stores every layer of a prefix, unless it is kept already or does not fit as a whole. */
  synchronized void store(Prefix prefix, IntFunction<KeyValue> layers) {
    dropExpired();
    if (kept.contains(prefix)) {
      return;
    }
    long needed = SimplePrefixCache.bytesForPrefix(layout, prefix.length());
    boolean fits = needed <= maxBytes;
    while (fits && store.stats().bytes() + needed > maxBytes) {
      drop(kept.iterator().next(), Removal.SIZE);
    }
    for (int layer = 0; fits && layer < layout.layers(); layer++) {
      fits = store.put(prefix, layer, layers.apply(layer));
    }
    peakBytes = Math.max(peakBytes, store.stats().bytes());
    if (fits) {
      kept.add(prefix);
      departed.remove(prefix);
    } else {
      drop(prefix, Removal.SIZE);
      departed.put(prefix, Reason.NO_ROOM);
    }
  }

  synchronized void clear() {
    store.clear();
    kept.clear();
    expired.clear();
    departed.clear();
  }

  synchronized CacheStats stats(LookupCounters counters) {
    dropExpired();
    SimpleKvCache.Stats now = store.stats();
    return new CacheStats(
        counters.snapshot(),
        new CacheStats.Storage(now.entries(), now.bytes(), peakBytes, 0, 0, 0, removed, 0, 0));
  }

  private Found missing(Prefix prefix) {
    Reason reason = departed.get(prefix);
    if (reason == null) {
      boolean elsewhere = kept.stream().anyMatch(other -> other.tokens().equals(prefix.tokens()));
      return new Found(List.of(), elsewhere ? Reason.OTHER_NAMESPACE : Reason.COLD, "");
    }
    String detail =
        reason == Reason.NO_ROOM
            ? "its "
                + prefix.length()
                + " tokens need "
                + SimplePrefixCache.bytesForPrefix(layout, prefix.length())
                + " of "
                + maxBytes
                + " bytes"
            : "";
    return new Found(List.of(), reason, detail);
  }

  /** Called by the store for each entry that leaves. */
  private void layerLeft(Object prefix, RemovalCause cause) {
    boolean ranOut = cause == RemovalCause.EXPIRED;
    removed.merge(ranOut ? Removal.EXPIRED : dropCause, 1L, Long::sum);
    if (ranOut) {
      expired.add((Prefix) prefix);
    }
  }

  private void dropExpired() {
    store.stats(); // lets go of what has expired
    while (!expired.isEmpty()) { // dropping may bring more to light
      drop(expired.iterator().next(), Removal.EXPIRED);
    }
  }

  private void drop(Prefix prefix, Removal cause) {
    kept.remove(prefix);
    dropCause = cause;
    for (int layer = 0; layer < layout.layers(); layer++) {
      store.remove(prefix, layer);
    }
    dropCause = Removal.EXPLICIT;
    expired.remove(prefix);
    departed.remove(prefix); // so that it becomes the youngest
    departed.put(prefix, cause == Removal.EXPIRED ? Reason.EXPIRED : Reason.EVICTED);
  }
}
