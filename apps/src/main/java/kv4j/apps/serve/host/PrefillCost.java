package kv4j.apps.serve.host;

import java.util.OptionalDouble;
import kv4j.inference.schedule.ScheduledResult;

/**
 * What a computed prompt token has cost this server so far, from which follows what cached ones
 * saved. Prompts of which next to nothing was computed do not count: their cost is that of a pass,
 * however few tokens are in it, and would make savings seem larger than they are. Thread-safe.
 */
public final class PrefillCost {
  /** Fewest computed tokens of a prompt that counts. */
  static final int LEAST_TOKENS = 32;

  private long nanos;
  private long tokens;

  /** Takes note of a request that was computed at least up to its first token. */
  synchronized void add(ScheduledResult result) {
    int computed = result.computedPromptTokens();
    if (computed >= LEAST_TOKENS && result.ttftNanos() > 0) {
      nanos += result.prefillNanos();
      tokens += computed;
    }
  }

  /** In ms; empty before the first prompt that counts. */
  public synchronized OptionalDouble msPerToken() {
    return tokens == 0 ? OptionalDouble.empty() : OptionalDouble.of(nanos / 1e6 / tokens);
  }
}
