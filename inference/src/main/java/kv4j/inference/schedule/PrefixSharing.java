package kv4j.inference.schedule;

import java.util.List;
import java.util.OptionalInt;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;

/**
 * Lets requests that wait share the prompts of those that run, so that what many have in common is
 * computed once even if all come at once.
 */
final class PrefixSharing {
  private final KvCache cache;
  private final int blockTokens;

  PrefixSharing(KvCache cache) {
    this.cache = cache;
    blockTokens = cache.layout().blockTokens();
  }

  /**
   * How much of a prompt is cached, after running requests have shared what they have of it.
   *
   * @return empty if it is worth waiting for more: one of these is about to compute at least a
   *     block that is not cached, or the end of what the request has waited for already. That is
   *     over with the other's first token, or sooner
   */
  OptionalInt cachedFor(Job job, List<Job> running) {
    KvRequest lookup = job.lookup;
    OptionalInt answer = cache.cachedTokens(lookup);
    if (answer.isEmpty()) {
      return OptionalInt.of(0);
    }
    int cached = answer.getAsInt();
    int enough = job.waits ? 1 : blockTokens;
    job.waits = false;
    for (Job other : running) {
      int common = sameOwner(lookup, other) ? commonTokens(lookup, other) : 0;
      if (common >= cached + enough) {
        if (share(other)) {
          cached = cache.cachedTokens(lookup).orElse(0);
        }
        boolean willHaveMore = !other.hasToken() && other.generation.inPlace() < common;
        job.waits |= willHaveMore && common >= cached + enough;
      }
    }
    return job.waits ? OptionalInt.empty() : OptionalInt.of(cached);
  }

  private static boolean sameOwner(KvRequest lookup, Job other) {
    return other.lookup.namespace().equals(lookup.namespace())
        && other.lookup.salt().equals(lookup.salt());
  }

  /** Tokens of a prompt that the whole blocks of a running request hold, now or soon. */
  private int commonTokens(KvRequest lookup, Job other) {
    int known = other.generation.inPlace() + other.generation.remaining();
    int common = Math.min(other.generation.inCommon(lookup.prompt()), lookup.prompt().length - 1);
    return Math.min(common, known / blockTokens * blockTokens);
  }

  /** Whether there were blocks to offer that had not been offered before. */
  private boolean share(Job other) {
    int whole = other.generation.inPlace() / blockTokens * blockTokens;
    if (whole <= other.shared) {
      return false;
    }
    other.shared = whole;
    other.generation.share();
    other.generation.reserve(other.generation.remaining()); // as it had before
    return true;
  }
}
