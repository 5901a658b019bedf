package kv4j.inference.schedule;

import kv4j.inference.GenerationResult;

/**
 * What came of a scheduled request.
 *
 * @param generation its tokens, perhaps none, and what the cache found for its prompt when it
 *     started; without logits. Its own times count from that start
 * @param end why there are no more tokens
 * @param queuedNanos from being submitted to being started, or to its end if it never was, ns
 * @param prefillNanos from being started to its first token, ns; 0 if there was none
 * @param ttftNanos time to first token, ns, from being submitted; 0 if there was none
 * @param totalNanos from being submitted to its end, ns
 * @param computedPromptTokens prompt tokens computed for it, each counted once however often it was
 *     preempted; with {@code lookup().cachedTokens()} all of its prompt, unless it was cancelled
 * @param preempted how many times it gave way to others
 */
public record ScheduledResult(
    GenerationResult generation,
    End end,
    long queuedNanos,
    long prefillNanos,
    long ttftNanos,
    long totalNanos,
    int computedPromptTokens,
    int preempted) {
  /** Time from its first token to its end, ns; 0 if there was none. */
  public long decodeNanos() {
    return ttftNanos == 0 ? 0 : totalNanos - ttftNanos;
  }

  /** Why a request has ended. */
  public enum End {
    /** It has all the tokens that it asked for. */
    LENGTH,
    /** Its listener wanted no more. */
    STOPPED,
    /** It was cancelled. */
    CANCELLED
  }
}
