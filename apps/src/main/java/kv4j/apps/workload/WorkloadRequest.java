package kv4j.apps.workload;

import java.util.Optional;

/**
 * One request of a workload.
 *
 * @param group whose it is (an agent); requests of a group are reported together
 * @param prompt prompt tokens, at least 1; not modified
 * @param sharedPrefixTokens leading tokens that the whole workload shares
 * @param answer the right one, if it is known and the prompt is whole
 */
public record WorkloadRequest(
    String group, int[] prompt, int sharedPrefixTokens, Optional<String> answer) {
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

  /** A request whose right answer is not known. */
  public WorkloadRequest(String group, int[] prompt, int sharedPrefixTokens) {
    this(group, prompt, sharedPrefixTokens, Optional.empty());
  }
}
