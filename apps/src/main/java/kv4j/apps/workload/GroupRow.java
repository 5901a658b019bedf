package kv4j.apps.workload;

/**
 * One group of a workload's requests (an agent of the workflow), cache under test against {@code
 * request}.
 *
 * @param group its name
 * @param requests how many requests were in it
 * @param promptTokens prompt tokens of all of them
 * @param cachedTokens of these, found cached
 * @param ttftMs with the cache under test, ms
 * @param uncachedTtftMs with the {@code request} cache, ms
 * @param ttftSpeedup total TTFT without ÷ with the cache
 * @param secondsSaved total latency without − with the cache, s
 */
public record GroupRow(
    String group,
    int requests,
    long promptTokens,
    long cachedTokens,
    Spread ttftMs,
    Spread uncachedTtftMs,
    double ttftSpeedup,
    double secondsSaved) {
  /** Cached prompt tokens ÷ prompt tokens. */
  public double tokenHitRate() {
    return promptTokens == 0 ? 0 : (double) cachedTokens / promptTokens;
  }
}
