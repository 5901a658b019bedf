package kv4j.apps.scale;

/**
 * What became of a request.
 *
 * @param node which server it went to
 * @param memoryTokens tokens of its prompt that were in that server's memory
 * @param storeTokens tokens that came from the store
 * @param readBytes that came from other servers
 * @param ttftSeconds time to first token, with what it waited for earlier prompts
 * @param end when that was, in seconds from the beginning of the trace
 */
public record Served(
    int node,
    int promptTokens,
    int memoryTokens,
    int storeTokens,
    long readBytes,
    double ttftSeconds,
    double end) {
  /** Tokens of the prompt that were not computed. */
  public int cachedTokens() {
    return memoryTokens + storeTokens;
  }
}
