package kv4j.apps.workload;

/**
 * What one cache did on a workload: a row of the programs' tables.
 *
 * @param cache the cache's name
 * @param requests how many requests were run
 * @param newTokens most tokens generated per request
 * @param ttftMs time to first token, ms, over the requests (each its median over the repeats)
 * @param latencyMs whole request, ms, likewise
 * @param totalTtftMs sum over the requests of their medians over the repeats, ms
 * @param totalLatencyMs likewise
 * @param promptTokensPerSecond prompt tokens of all requests ÷ their total TTFT
 * @param outputTokensPerSecond generated tokens of all requests ÷ their total latency
 * @param tokenHitRate cached prompt tokens ÷ prompt tokens
 * @param requestHitRate requests with at least one cached token ÷ requests
 * @param layerHitRate layers answered from the cache ÷ layers asked, at prefill
 * @param cacheBytes bytes kept between requests at the end
 * @param answers how many were right, of those that can be told
 */
public record CacheRow(
    String cache,
    int requests,
    int newTokens,
    Spread ttftMs,
    Spread latencyMs,
    double totalTtftMs,
    double totalLatencyMs,
    double promptTokensPerSecond,
    double outputTokensPerSecond,
    double tokenHitRate,
    double requestHitRate,
    double layerHitRate,
    long cacheBytes,
    Answers answers) {}
