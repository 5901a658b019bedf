package kv4j.inference.schedule;

import kv4j.inference.schedule.ScheduledResult.End;

/** What a scheduler has done so far; its thread counts. */
final class Tally {
  private static final double WEIGHT = 0.1; // of a request's time in the average of the last ones

  long finished;
  long cancelled;
  long failed;
  long preemptions;
  long cachedPromptTokens;
  long computedPromptTokens;
  long recomputedTokens;
  long generatedTokens;
  long passes;
  long rows;
  double serviceNanos;

  /** Counts one that has ended without an error. */
  void count(Job job, End end) {
    if (end == End.CANCELLED) {
      cancelled++;
      return;
    }
    double nanos = job.serviceNanos();
    serviceNanos += (nanos - serviceNanos) * (finished == 0 ? 1 : WEIGHT);
    finished++;
  }

  SchedulerStats stats(int running, int waiting) {
    return new SchedulerStats(
        running,
        waiting,
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
