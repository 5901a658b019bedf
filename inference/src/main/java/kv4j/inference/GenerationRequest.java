package kv4j.inference;

import kv4j.cache.KvRequest;

/**
 * One request, in token ids.
 *
 * @param lookup the prompt, and what a cache needs to know to find keys and values for it; the
 *     model's fingerprint is filled in by whoever runs the request
 * @param newTokens tokens to generate, at least 1
 * @param sampling how to pick them
 */
public record GenerationRequest(KvRequest lookup, int newTokens, Sampling sampling) {
  public GenerationRequest {
    if (newTokens < 1) {
      throw new IllegalArgumentException("new tokens must be at least 1, not " + newTokens);
    }
  }

  /** Greedy decoding, nothing said of a shared prefix, the default namespace. */
  public static GenerationRequest greedy(int[] prompt, int newTokens) {
    return new GenerationRequest(KvRequest.of(prompt), newTokens, Sampling.GREEDY);
  }

  /** Prompt tokens, at least 1; not to be modified. */
  public int[] prompt() {
    return lookup.prompt();
  }
}
