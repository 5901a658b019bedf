package kv4j.apps.workload;

/**
 * What keeping fewer bits of keys and values cost and saved, against 32-bit floats without a prefix
 * cache.
 *
 * @param dtype how each element was kept
 * @param bytesPerToken bytes of one token's keys and values in all layers
 * @param f32BytesPerToken what 32-bit floats would take
 * @param maxLogitDifference largest |difference| between logits, as long as both runs had generated
 *     the same tokens
 * @param unchangedTokens generated tokens that were the same ÷ all generated tokens
 */
public record Rounding(
    String dtype,
    long bytesPerToken,
    long f32BytesPerToken,
    double maxLogitDifference,
    double unchangedTokens) {}
