package kv4j.apps.serve.engine;

import java.util.Optional;
import kv4j.cache.Lookup;

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
  /** From the request to the first token. */
  public long ttftNanos() {
    return queueNanos + prefillNanos;
  }

  /** From the request to its end. */
  public long totalNanos() {
    return queueNanos + prefillNanos + decodeNanos;
  }
}
