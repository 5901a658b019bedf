package kv4j.apps.workload;

/**
 * How many times faster, by measure.
 *
 * @param ttft total time to first token without ÷ with the cache
 * @param latency total request time without ÷ with the cache; decoding, which no prefix cache
 *     shortens, is on both sides
 * @param throughput prompt tokens per second with ÷ without the cache; equal to {@code ttft}, as
 *     both runs have the same prompts
 */
public record Speedup(double ttft, double latency, double throughput) {}
