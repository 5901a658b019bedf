package kv4j.apps.workload;

/**
 * One request of a workload.
 *
 * @param group whose it is (an agent); requests of a group are reported together
 * @param prompt prompt tokens, at least 1; not modified
 * @param sharedPrefixTokens leading tokens that the whole workload shares
 */
public record WorkloadRequest(String group, int[] prompt, int sharedPrefixTokens) {
  public WorkloadRequest {
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
}
