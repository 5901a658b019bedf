package kv4j.model;

import org.nd4j.autodiff.samediff.SameDiff;

/**
 * A model ready to run.
 *
 * @param name for people
 * @param config its shape
 * @param graph the SameDiff graph, weights included, as {@link TransformerGraph} builds it
 * @param tokenizer its tokenizer
 * @param fingerprint tells models apart: equal only if config, weights and tokenizer are
 */
public record Model(
    String name,
    TransformerConfig config,
    SameDiff graph,
    Tokenizer tokenizer,
    String fingerprint) {
  /**
   * A model of some weights, with its graph.
   *
   * @param tokenizerId tells tokenizers apart: equal only if the tokenizers are
   */
  public static Model of(
      String name, TransformerWeights weights, Tokenizer tokenizer, String tokenizerId) {
    return new Model(
        name,
        weights.config(),
        TransformerGraph.build(weights),
        tokenizer,
        Fingerprints.of(weights, tokenizerId));
  }
}
