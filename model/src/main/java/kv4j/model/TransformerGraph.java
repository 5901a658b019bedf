package kv4j.model;

/** Builds the SameDiff graph of a transformer. */
public final class TransformerGraph {
  private TransformerGraph() {}
}
