package kv4j.inference.workload;

/**
 * One request of a workload.
 *
 * @param group whose it is (an agent); requests of a group are reported together
 * @param prompt prompt tokens
 * @param sharedPrefixTokens leading tokens that the whole workload shares
 */
public record WorkloadRequest(String group, int[] prompt, int sharedPrefixTokens) {}
