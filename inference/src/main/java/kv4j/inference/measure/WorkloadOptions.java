package kv4j.inference.measure;

import kv4j.cache.KvCacheConfig;

/**
 * How a workload is measured.
 *
 * @param cache name of the cache under test
 * @param config what it is made from
 * @param loader where caches are looked for
 * @param repeat how often the whole workload is run and timed, at least 1
 */
public record WorkloadOptions(String cache, KvCacheConfig config, ClassLoader loader, int repeat) {
  public WorkloadOptions {
    if (repeat < 1) {
      throw new IllegalArgumentException("repeat must be at least 1, not " + repeat);
    }
  }
}
