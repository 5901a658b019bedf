package kv4j.inference.schedule;

/**
 * How a {@link Scheduler} runs.
 *
 * @param maxRows most new tokens in one forward pass, of all requests together; more than {@code
 *     maxRunning}
 * @param maxRunning most requests that run at once, at least 1
 * @param maxWaiting most requests that wait to run, at least 1; more are refused, but not before
 *     there are {@code maxRunning} others
 * @param maxOvertakes how many requests submitted later may start before one that waits, because
 *     more of their prompts is cached; 0: first come, first served
 */
public record SchedulerOptions(int maxRows, int maxRunning, int maxWaiting, int maxOvertakes) {
  public SchedulerOptions {
    if (maxRunning < 1) {
      throw new IllegalArgumentException("at least 1 request must run, not " + maxRunning);
    }
    if (maxRows <= maxRunning) {
      throw new IllegalArgumentException(
          "passes of %d rows are too short for %d requests: a row for each and one for prompts"
              .formatted(maxRows, maxRunning));
    }
    if (maxWaiting < 1) {
      throw new IllegalArgumentException("at least 1 request must wait, not " + maxWaiting);
    }
    if (maxOvertakes < 0) {
      throw new IllegalArgumentException("overtakes must be 0 or more, not " + maxOvertakes);
    }
  }

  /** Passes of 512 rows, 64 requests that run, 1,024 that wait, each overtaken 32 times at most. */
  public static SchedulerOptions defaults() {
    return new SchedulerOptions(512, 64, 1024, 32);
  }
}
