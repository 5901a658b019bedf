package kv4j.apps.measure;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import kv4j.apps.store.OpenStore;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;

/**
 * How a workload is measured.
 *
 * @param cache makes the cache under test
 * @param alongside make other caches that run the same requests, for rows of their own
 * @param config what they are made from
 * @param repeat how often the whole workload is run and timed, at least 1
 * @param namespace tenant whose requests these are
 * @param salt of all requests; empty: none
 * @param concurrency how many requests run at once in a further run; 1: there is none
 * @param store opens a store that is closed and opened again in a further run; empty: there is none
 */
public record WorkloadOptions(
    KvCacheProvider cache,
    List<KvCacheProvider> alongside,
    KvCacheConfig config,
    int repeat,
    String namespace,
    String salt,
    int concurrency,
    Optional<Supplier<OpenStore>> store) {
  /** Most requests that may run at once. */
  public static final int MOST_AT_ONCE = 64;

  public WorkloadOptions {
    alongside = List.copyOf(alongside);
    if (repeat < 1) {
      throw new IllegalArgumentException("repeat must be at least 1, not " + repeat);
    }
    if (concurrency < 1 || concurrency > MOST_AT_ONCE) {
      throw new IllegalArgumentException(
          "concurrency must be 1 to %d, not %d".formatted(MOST_AT_ONCE, concurrency));
    }
  }

  /** One cache, in the default namespace. */
  public WorkloadOptions(KvCacheProvider cache, KvCacheConfig config, int repeat) {
    this(cache, List.of(), config, repeat, "", "", 1, Optional.empty());
  }
}
