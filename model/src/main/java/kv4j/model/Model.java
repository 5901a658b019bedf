package kv4j.model;

import org.nd4j.autodiff.samediff.SameDiff;

/**
 * A model ready to run.
 *
 * @param name for people
 * @param config its shape
 * @param graph the SameDiff graph, weights included, with the names of {@link GraphNames} that
 *     {@link #ofGraph} asks for
 * @param tokenizer its tokenizer
 * @param fingerprint tells models apart: equal only if config, weights and tokenizer are
 * @param ownGraph whether {@link TransformerGraph} built the graph; what any other computes is
 *     compared before it is relied on
 */
public record Model(
    String name,
    TransformerConfig config,
    SameDiff graph,
    Tokenizer tokenizer,
    String fingerprint,
    boolean ownGraph) {
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
        Fingerprints.of(weights, tokenizerId),
        true);
  }

  /**
   * A model of any graph, built in code or read from a file, that computes {@link
   * GraphNames#LOGITS} of a whole sequence from {@link GraphNames#TOKENS} and {@link
   * GraphNames#POSITIONS}. In each layer it takes keys and values through identities named {@link
   * GraphNames#CORE_KEYS} and {@link GraphNames#CORE_VALUES}, {@code [rows, kvHeads, headDim]}, and
   * adds {@link GraphNames#CAUSAL_MASK} to its scores; what else depends on the tokens attended to
   * is computed from these three, which have more of them than rows in a cached run.
   *
   * @param config its shape: layers, dim, heads and their size, vocabulary and context are what the
   *     graph has; the rest is for people
   * @param tokenizerId tells tokenizers apart: equal only if the tokenizers are
   * @throws IllegalArgumentException if the graph lacks one of these names
   */
  public static Model ofGraph(
      String name,
      TransformerConfig config,
      SameDiff graph,
      Tokenizer tokenizer,
      String tokenizerId) {
    require(graph, GraphNames.TOKENS);
    require(graph, GraphNames.POSITIONS);
    require(graph, GraphNames.CAUSAL_MASK);
    for (int layer = 0; layer < config.layers(); layer++) {
      require(graph, GraphNames.inLayer(layer, GraphNames.CORE_KEYS));
      require(graph, GraphNames.inLayer(layer, GraphNames.CORE_VALUES));
    }
    require(graph, GraphNames.LOGITS);
    return new Model(
        name, config, graph, tokenizer, Fingerprints.of(config, graph, tokenizerId), false);
  }

  private static void require(SameDiff graph, String name) {
    if (!graph.hasVariable(name)) {
      throw new IllegalArgumentException("the graph has nothing named " + name);
    }
  }
}
