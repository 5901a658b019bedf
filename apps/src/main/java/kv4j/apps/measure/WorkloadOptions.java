package kv4j.apps.measure;

import java.util.List;
import kv4j.cache.KvCacheConfig;

/**
 * How a workload is measured.
 *
 * @param cache name of the cache under test
 * @param alongside names of other caches that run the same requests, for rows of their own
 * @param config what they are made from
 * @param loader where caches are looked for
 * @param repeat how often the whole workload is run and timed, at least 1
 * @param namespace tenant whose requests these are
 * @param salt of all requests; empty: none
 * @param concurrency how many requests run at once in a further run; 1: there is none
 */
public record WorkloadOptions(
    String cache,
    List<String> alongside,
    KvCacheConfig config,
    ClassLoader loader,
    int repeat,
    String namespace,
    String salt,
    int concurrency) {
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
  public WorkloadOptions(String cache, KvCacheConfig config, ClassLoader loader, int repeat) {
    this(cache, List.of(), config, loader, repeat, "", "", 1);
  }
}
