package kv4j.apps.serve.engine;

import java.util.Optional;
import kv4j.cache.Lookup;
import kv4j.inference.schedule.ScheduledResult;

/**
 * What came of a request.
 *
 * @param lookup what the cache had of its prompt; empty if it never got that far
 * @param tokens how many were generated
 * @param queueNanos from the request to when it began to be computed
 * @param prefillNanos from then to the first token, or to the end if there is none
 * @param decodeNanos from the first token to the end
 * @param cancelled whether it ended because of {@link Running#cancel}
 */
public record Finished(
    Optional<Lookup> lookup,
    int tokens,
    long queueNanos,
    long prefillNanos,
    long decodeNanos,
    boolean cancelled) {
  static Finished of(ScheduledResult done) {
    long computed = done.totalNanos() - done.queuedNanos();
    long prefill = done.ttftNanos() == 0 ? computed : done.prefillNanos();
    return new Finished(
        Optional.ofNullable(done.generation().lookup()),
        done.generation().tokens().length,
        done.queuedNanos(),
        prefill,
        computed - prefill,
        done.end() == ScheduledResult.End.CANCELLED);
  }

  /** From the request to the first token. */
  public long ttftNanos() {
    return queueNanos + prefillNanos;
  }

  /** From the request to its end. */
  public long totalNanos() {
    return queueNanos + prefillNanos + decodeNanos;
  }
}
