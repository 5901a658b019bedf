package kv4j.inference.schedule;

/**
 * An immutable snapshot of what a scheduler does and has done since it was made, taken between
 * passes or layers of one.
 *
 * @param running requests that have blocks and are in passes
 * @param waiting requests that are to start, or to go on after they were preempted
 * @param finished requests that ended by themselves
 * @param cancelled requests that were cancelled
 * @param failed requests that ended with an error
 * @param preemptions times that a running request gave way to others
 * @param cachedPromptTokens prompt tokens that the cache had when their requests started
 * @param computedPromptTokens prompt tokens computed, each counted once for its request
 * @param recomputedTokens tokens computed once more for the same request
 * @param generatedTokens tokens generated
 * @param passes forward passes that have come to their end
 * @param rows new tokens in all of them
 */
public record SchedulerStats(
    int running,
    int waiting,
    long finished,
    long cancelled,
    long failed,
    long preemptions,
    long cachedPromptTokens,
    long computedPromptTokens,
    long recomputedTokens,
    long generatedTokens,
    long passes,
    long rows) {
  /** The same with more that wait. */
  SchedulerStats withArrived(int arrived) {
    return new SchedulerStats(
        running,
        waiting + arrived,
        finished,
        cancelled,
        failed,
        preemptions,
        cachedPromptTokens,
        computedPromptTokens,
        recomputedTokens,
        generatedTokens,
        passes,
        rows);
  }
}
