package kv4j.cache.simple;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import com.github.benmanes.caffeine.cache.Ticker;
import java.nio.IntBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.nd4j.linalg.api.concurrency.AffinityManager.Location;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Keeps the attention keys and values of prompt prefixes, one entry for each prefix and layer, so
 * that a prompt that begins with a known prefix need not compute it again. A prefix is named by its
 * text or by its token ids; either is compared exactly. Safe for use by many threads.
 *
 * <p>This file needs only ND4J and Caffeine and may be copied into any project. Expiry, eviction
 * and counting are Caffeine's: when entries must make room, its TinyLFU policy keeps those used
 * most, so a new entry may be the one that goes, and a prefix may lose some layers before others.
 * Nothing runs in the background: an expired entry is never returned, and its memory is let go
 * during some later call.
 *
 * <p>Arrays that leave the cache stay valid for whoever still holds them: the cache never closes an
 * array, ND4J frees it once it is unreachable and garbage-collected.
 */
public final class SimpleKvCache {
  /** Where cached arrays are kept. */
  public enum Device {
    /** On the GPU if ND4J's backend is a GPU one, else on the CPU. */
    AUTO,
    /** Current in host memory. (A GPU backend may hold device memory for it all the same.) */
    CPU,
    /** Current in device memory. */
    GPU;

    Location location(boolean gpuBackend) {
      if (this == GPU && !gpuBackend) {
        throw new IllegalArgumentException(
            "the cache cannot keep arrays on a GPU because ND4J's backend is a CPU one");
      }
      return gpuBackend && this != CPU ? Location.DEVICE : Location.HOST;
    }
  }

  /**
   * Keys and values of one layer, of the shapes they were stored with. They are the cache's own
   * arrays: read them, do not change them in place.
   */
  public record KeyValue(INDArray keys, INDArray values) {
    public KeyValue {
      if (keys.isEmpty() || values.isEmpty()) {
        throw new IllegalArgumentException("keys and values must not be empty");
      }
    }

    /** Bytes of both arrays' elements. */
    public long bytes() {
      return keys.length() * keys.dataType().width() + values.length() * values.dataType().width();
    }
  }

  /**
   * An immutable snapshot.
   *
   * @param hits lookups that found their entry
   * @param misses lookups that did not, or found it expired
   * @param entries entries kept now
   * @param bytes bytes of keys and values kept now
   * @param evictions entries that left, by cause: SIZE (made room), EXPIRED, EXPLICIT (cleared),
   *     REPLACED (stored again); a cause that never occurred is absent
   */
  public record Stats(
      long hits, long misses, long entries, long bytes, Map<RemovalCause, Long> evictions) {
    public Stats {
      evictions = Map.copyOf(evictions);
    }

    /** Hits in a hundred lookups; 0 before the first. */
    public double hitRatePercent() {
      return hits == 0 ? 0 : 100.0 * hits / (hits + misses);
    }
  }

  private record Key(Object prefix, int layer) {
    Key {
      Objects.requireNonNull(prefix, "prefix");
      if (layer < 0) {
        throw new IllegalArgumentException("a layer is counted from 0, not " + layer);
      }
    }
  }

  private final Cache<Key, KeyValue> entries;
  private final Map<RemovalCause, Long> evictions = new ConcurrentHashMap<>();
  private final long maxBytes;
  private final Location location;

  private SimpleKvCache(Builder options) {
    maxBytes = options.maxBytes;
    location = options.device.location(!Nd4j.getEnvironment().isCPU());
    Caffeine<Key, KeyValue> caffeine =
        Caffeine.newBuilder()
            .maximumWeight(maxBytes)
            .weigher((Key key, KeyValue kv) -> Math.toIntExact(kv.bytes()))
            .ticker(options.ticker)
            .executor(Runnable::run) // evict in the calling thread, not some time later
            .recordStats()
            .removalListener((key, kv, cause) -> evictions.merge(cause, 1L, Long::sum));
    if (options.timeToLive != null) {
      caffeine.expireAfterWrite(options.timeToLive);
    }
    entries = caffeine.build();
  }

  /** A builder whose defaults are 1 GiB, no expiry and automatic placement. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Stores copies of one layer's keys and values, which the caller may then reuse or close. An
   * entry already stored for the prefix and layer is replaced.
   *
   * @return whether they are kept: false if they are larger than the whole limit (or than 2 GiB,
   *     the most Caffeine can weigh), or if the entries already there are used more
   */
  public boolean cacheKv(String prefix, int layer, INDArray keys, INDArray values) {
    return copyIn(prefix, layer, new KeyValue(keys, values));
  }

  /** As above, for a prefix of token ids. */
  public boolean cacheKv(int[] prefix, int layer, INDArray keys, INDArray values) {
    return copyIn(tokens(prefix), layer, new KeyValue(keys, values));
  }

  /** The keys and values of a prefix in one layer, or empty if they are not kept (any more). */
  public Optional<KeyValue> getCachedKv(String prefix, int layer) {
    return get(prefix, layer);
  }

  /** As above, for a prefix of token ids. */
  public Optional<KeyValue> getCachedKv(int[] prefix, int layer) {
    return get(tokens(prefix), layer);
  }

  /** Counts since this cache was made, and what it keeps now, without anything expired. */
  public Stats stats() {
    entries.cleanUp();
    var lookups = entries.stats();
    long bytes = entries.policy().eviction().orElseThrow().weightedSize().orElseThrow();
    return new Stats(
        lookups.hitCount(), lookups.missCount(), entries.estimatedSize(), bytes, evictions);
  }

  /** Drops all entries; the counts go on. */
  public void clear() {
    entries.invalidateAll();
    entries.cleanUp();
  }

  private boolean copyIn(Object prefix, int layer, KeyValue kv) {
    return put(prefix, layer, fits(kv) ? new KeyValue(copy(kv.keys), copy(kv.values)) : kv);
  }

  /** Stores arrays that nobody else will change or close, under any prefix with value equality. */
  boolean put(Object prefix, int layer, KeyValue kv) {
    Key key = new Key(prefix, layer);
    if (!fits(kv)) {
      entries.invalidate(key); // what it was to replace is out of date
      return false;
    }
    Nd4j.getAffinityManager().ensureLocation(kv.keys, location);
    Nd4j.getAffinityManager().ensureLocation(kv.values, location);
    entries.put(key, kv);
    entries.cleanUp(); // waits for an eviction under way in another thread
    return entries.asMap().containsKey(key);
  }

  private boolean fits(KeyValue kv) {
    return kv.bytes() <= Math.min(maxBytes, Integer.MAX_VALUE);
  }

  Optional<KeyValue> get(Object prefix, int layer) {
    return Optional.ofNullable(entries.getIfPresent(new Key(prefix, layer)));
  }

  void remove(Object prefix, int layer) {
    entries.invalidate(new Key(prefix, layer));
  }

  /** Token ids that compare by content; a hash alone would let two prefixes share an entry. */
  static IntBuffer tokens(int[] ids) {
    return IntBuffer.wrap(ids.clone());
  }

  /** A compact copy that outlives the tensor it came from and any workspace. */
  private static INDArray copy(INDArray array) {
    return array.dup('c').detach();
  }

  /** Collects the options of a cache. */
  public static final class Builder {
    private long maxBytes = 1L << 30;
    private Duration timeToLive;
    private Ticker ticker = Ticker.systemTicker();
    private Device device = Device.AUTO;

    private Builder() {}

    /** Most bytes of keys and values kept. */
    public Builder maxBytes(long maxBytes) {
      if (maxBytes < 1) {
        throw new IllegalArgumentException(
            "the cache's size limit must be positive, not " + maxBytes);
      }
      this.maxBytes = maxBytes;
      return this;
    }

    /** How long after it was stored an entry may be returned. */
    public Builder timeToLive(Duration timeToLive) {
      if (timeToLive.isZero() || timeToLive.isNegative()) {
        throw new IllegalArgumentException("the time-to-live must be positive, not " + timeToLive);
      }
      this.timeToLive = timeToLive;
      return this;
    }

    /** The clock that entries age by. */
    public Builder ticker(Ticker ticker) {
      this.ticker = Objects.requireNonNull(ticker);
      return this;
    }

    /** Where arrays are kept. */
    public Builder device(Device device) {
      this.device = Objects.requireNonNull(device);
      return this;
    }

    /**
     * @throws IllegalArgumentException if the GPU is asked for and ND4J's backend has none
     */
    public SimpleKvCache build() {
      return new SimpleKvCache(this);
    }
  }
}
