package kv4j.inference.schedule;

import kv4j.cache.KvRequest;
import kv4j.inference.Generation;
import kv4j.inference.pass.ForwardPass.Segment;
import kv4j.inference.schedule.ScheduledResult.End;

/** One request on its way through the scheduler, whose thread alone changes it. */
final class Job {
  final Submission submission;
  final KvRequest lookup;
  final Generation generation;
  final TokenListener listener;

  /** How many that came later have started before it. */
  int overtaken;

  /** Whether it waits for a prefix that another computes. */
  boolean waits;

  /** How many times it gave way. */
  int preempted;

  /** Leading tokens that it has offered to others since it was opened. */
  int shared;

  /** Up to here its passes hold nothing else, for one that did has failed; 0: none has. */
  int suspectTo;

  private final long submitted = System.nanoTime();
  private long started; // 0 before
  private long firstToken; // 0 before
  private int computedTo; // tokens of prompt and answer that were in place at any time
  private int computedPrompt;

  Job(Submission submission, KvRequest lookup, Generation generation, TokenListener listener) {
    this.submission = submission;
    this.lookup = lookup;
    this.generation = generation;
    this.listener = listener;
  }

  long number() {
    return submission.number();
  }

  int promptTokens() {
    return lookup.prompt().length;
  }

  boolean hasStarted() {
    return started != 0;
  }

  boolean hasToken() {
    return firstToken != 0;
  }

  /** Notes that it has a sequence for the first time, opened at a time in ns. */
  void start(long nanos) {
    started = nanos;
    computedTo = generation.lookup().cachedTokens();
  }

  /**
   * Notes what a pass has computed.
   *
   * @return tokens of it that had been in place before
   */
  int computed(Segment segment) {
    int again = Math.max(0, Math.min(computedTo, segment.to()) - segment.from());
    int before = Math.min(computedTo, promptTokens());
    computedTo = Math.max(computedTo, segment.to());
    computedPrompt += Math.min(computedTo, promptTokens()) - before;
    return again;
  }

  int computedPrompt() {
    return computedPrompt;
  }

  /**
   * Notes that its first token is known.
   *
   * @return time to it, ns
   */
  long firstToken() {
    firstToken = System.nanoTime();
    return firstToken - submitted;
  }

  /** Time since it started, ns. */
  long serviceNanos() {
    return System.nanoTime() - started;
  }

  /** Leaves what was computed to the cache, and says what came of it. */
  ScheduledResult finish(End end) {
    try (generation) {
      var result = generation.finish();
      long now = System.nanoTime();
      return new ScheduledResult(
          result,
          end,
          (hasStarted() ? started : now) - submitted,
          hasToken() ? firstToken - started : 0,
          hasToken() ? firstToken - submitted : 0,
          now - submitted,
          computedPrompt,
          preempted);
    }
  }
}
