package kv4j.inference.schedule;

import kv4j.cache.Lookup;

/**
 * What happens to a request. A {@link Scheduler} tells of it on its own thread, in the order that
 * it happened.
 */
public sealed interface SchedulerEvent {
  /** {@link Submission#number} of the request. */
  long request();

  /** It waits to be started. */
  record Queued(long request, int promptTokens) implements SchedulerEvent {}

  /**
   * It runs.
   *
   * @param lookup what the cache had of its prompt
   */
  record Started(long request, Lookup lookup) implements SchedulerEvent {}

  /**
   * A chunk of its prompt was computed, positions {@code from} to before {@code to}; after it was
   * preempted perhaps once more.
   */
  record Prefilled(long request, int from, int to) implements SchedulerEvent {}

  /**
   * Its first token is known.
   *
   * @param ttftNanos ns since it was submitted
   */
  record FirstToken(long request, long ttftNanos) implements SchedulerEvent {}

  /**
   * It gave its blocks up to others and waits to go on.
   *
   * @param tokens that were in place: those of its prompt and of its answer
   */
  record Preempted(long request, int tokens) implements SchedulerEvent {}

  /**
   * It goes on.
   *
   * @param tokens that are in place again, found in the cache
   */
  record Resumed(long request, int tokens) implements SchedulerEvent {}

  /** It has ended, by itself or cancelled. */
  record Finished(long request, ScheduledResult result) implements SchedulerEvent {}

  /** It has ended with an error. */
  record Failed(long request, Throwable error) implements SchedulerEvent {}
}
