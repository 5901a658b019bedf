package kv4j.inference;

import kv4j.cache.Lookup;

/**
 * What came of one request.
 *
 * @param tokens generated token ids
 * @param lookup what the cache found for the prompt
 * @param ttftNanos time to first token, ns: lookup, prefill and picking the first token
 * @param latencyNanos whole request, ns, from lookup to commit
 * @param logits {@code [tokens][vocabulary]}: what each token was picked from; empty unless asked
 *     for
 */
public record GenerationResult(
    int[] tokens, Lookup lookup, long ttftNanos, long latencyNanos, float[][] logits) {}
