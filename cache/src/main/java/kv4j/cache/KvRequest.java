package kv4j.cache;

/**
 * What a cache needs to know of a request to find keys and values for it.
 *
 * @param prompt token ids; not modified
 * @param sharedPrefixTokens how many leading tokens the caller knows to be shared with other
 *     requests; for caches that must be told (others find it themselves)
 * @param namespace tenant: nothing is shared across namespaces
 * @param model fingerprint of the model that computes the keys and values: nothing is shared across
 *     models
 */
public record KvRequest(int[] prompt, int sharedPrefixTokens, String namespace, String model) {
  public KvRequest {
    if (prompt.length == 0) {
      throw new IllegalArgumentException("a prompt needs at least 1 token");
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

  /** A request in the default namespace that says nothing of a shared prefix. */
  public static KvRequest of(int... prompt) {
    return new KvRequest(prompt, 0, "", "");
  }
}
