package kv4j.apps.workload;

import java.util.List;
import java.util.Optional;

/**
 * One request of a workload, cache under test against {@code request}. Times are medians over the
 * repeats, ms.
 *
 * @param group whose it was
 * @param promptTokens of its prompt
 * @param cachedTokens of these, found cached
 * @param reason why it was not more
 * @param ttftMs with the cache under test
 * @param uncachedTtftMs with the {@code request} cache
 * @param ceilingTtftMs what it would take if the cache cost nothing
 * @param latencyMs whole request with the cache under test
 * @param uncachedLatencyMs with the {@code request} cache
 * @param generated ids of the tokens that it gave with the cache under test
 * @param reply what was said, where the right answer is known
 */
public record RequestRow(
    String group,
    int promptTokens,
    int cachedTokens,
    String reason,
    double ttftMs,
    double uncachedTtftMs,
    double ceilingTtftMs,
    double latencyMs,
    double uncachedLatencyMs,
    List<Integer> generated,
    Optional<Reply> reply) {
  public RequestRow {
    generated = List.copyOf(generated);
  }

  /** Cached prompt tokens ÷ prompt tokens. */
  public double tokenHitRate() {
    return (double) cachedTokens / promptTokens;
  }
}
