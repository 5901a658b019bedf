package kv4j.model;

/**
 * What a decoder-only transformer of the Llama family is made of.
 *
 * @param layers attention layers
 * @param dim width of the residual stream
 * @param heads query heads
 * @param kvHeads key/value heads; divides {@code heads}
 * @param headDim elements of one head; even
 * @param ffnDim width of the feed-forward network
 * @param vocabulary number of token ids
 * @param context most tokens of a sequence
 * @param normEpsilon added to the mean square in RMSNorm
 * @param ropeTheta base of the rotary frequencies
 * @param ropePairing which elements of a head are rotated together
 * @param tiedOutput whether the output head is the token embedding
 */
public record TransformerConfig(
    int layers,
    int dim,
    int heads,
    int kvHeads,
    int headDim,
    int ffnDim,
    int vocabulary,
    int context,
    float normEpsilon,
    float ropeTheta,
    RopePairing ropePairing,
    boolean tiedOutput) {
  /** Which two elements of a head's vector a rotary position turns together. */
  public enum RopePairing {
    /** {@code 2i} and {@code 2i + 1}: llama2.c, GGUF of the Llama architecture. */
    ADJACENT,
    /** {@code i} and {@code i + headDim / 2}: Hugging Face. */
    SPLIT
  }

  public TransformerConfig {
    positive("layers", layers);
    positive("dim", dim);
    positive("heads", heads);
    positive("kvHeads", kvHeads);
    positive("headDim", headDim);
    positive("ffnDim", ffnDim);
    positive("vocabulary", vocabulary);
    positive("context", context);
    if (heads % kvHeads != 0) {
      throw new IllegalArgumentException(
          heads + " heads cannot share " + kvHeads + " KV heads evenly");
    }
    if (headDim % 2 != 0) {
      throw new IllegalArgumentException(
          "head size must be even for rotary positions, not " + headDim);
    }
    if (!(normEpsilon > 0) || !(ropeTheta > 0)) {
      throw new IllegalArgumentException(
          "norm epsilon and rope theta must be positive, not " + normEpsilon + " and " + ropeTheta);
    }
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " must be at least 1, not " + value);
    }
  }

  /**
   * Columns of the joint query, key and value projection: {@code (heads + 2 kvHeads) * headDim}.
   */
  public int qkvDim() {
    return (heads + 2 * kvHeads) * headDim;
  }

  /** Number of weights. */
  public long parameters() {
    long attention = (long) dim * qkvDim() + (long) heads * headDim * dim;
    long ffn = 3L * dim * ffnDim;
    long norms = 2L * dim;
    long embedding = (long) vocabulary * dim;
    return layers * (attention + ffn + norms) + dim + embedding * (tiedOutput ? 1 : 2);
  }
}
