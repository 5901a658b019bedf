package kv4j.inference;

/**
 * One request, in token ids.
 *
 * @param prompt prompt tokens, at least 1; not modified
 * @param newTokens tokens to generate, at least 1
 * @param sampling how to pick them
 * @param sharedPrefixTokens leading prompt tokens known to be shared with other requests, for
 *     caches that must be told; 0 if not known
 * @param namespace tenant: the cache shares nothing across namespaces
 */
public record GenerationRequest(
    int[] prompt, int newTokens, Sampling sampling, int sharedPrefixTokens, String namespace) {
  public GenerationRequest {
    if (prompt.length == 0) {
      throw new IllegalArgumentException("a prompt needs at least 1 token");
    }
    if (newTokens < 1) {
      throw new IllegalArgumentException("new tokens must be at least 1, not " + newTokens);
    }
    if (sharedPrefixTokens < 0 || sharedPrefixTokens > prompt.length) {
      throw new IllegalArgumentException(
          "a shared prefix of "
              + sharedPrefixTokens
              + " tokens in a prompt of "
              + prompt.length
              + " tokens");
    }
  }

  /** Greedy decoding, nothing said of a shared prefix, the default namespace. */
  public static GenerationRequest greedy(int[] prompt, int newTokens) {
    return new GenerationRequest(prompt, newTokens, Sampling.GREEDY, 0, "");
  }
}
