package kv4j.model;

/**
 * What a decoder-only transformer is made of.
 *
 * @param layers attention layers
 * @param dim width of the residual stream
 * @param heads query heads
 * @param kvHeads key/value heads; divides {@code heads}
 * @param headDim elements of one head; even where positions are rotary
 * @param ffnDim width of the feed-forward network
 * @param vocabulary number of token ids
 * @param context most tokens of a sequence
 * @param normEpsilon added to the mean square or variance in norms
 * @param positions how it knows where a token is
 * @param block what its layers are made of
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
    Positions positions,
    Block block,
    boolean tiedOutput) {
  /** Which two elements of a head's vector a rotary position turns together. */
  public enum RopePairing {
    /** {@code 2i} and {@code 2i + 1}: llama2.c, GGUF of the Llama architecture. */
    ADJACENT,
    /** {@code i} and {@code i + headDim / 2}: Hugging Face. */
    SPLIT
  }

  /** Kinds of norm. */
  public enum Norm {
    /** RMSNorm (Zhang and Sennrich 2019), with a gain. */
    RMS,
    /** LayerNorm (Ba et al. 2016), with a gain and a bias. */
    LAYER
  }

  /** What a feed-forward network does between its projections. */
  public enum Activation {
    /** {@code silu(gate) * up} (Shazeer 2020). */
    SWIGLU,
    /** GELU (Hendrycks and Gimpel 2016), approximated by tanh, as in GPT-2. */
    GELU
  }

  /** Which projections add a vector. */
  public enum Biases {
    NONE,
    QKV,
    ALL
  }

  /**
   * What a layer is made of.
   *
   * @param headNorms whether each query and key head gets a norm of its own before it is turned
   */
  public record Block(Norm norm, Activation activation, Biases biases, boolean headNorms) {
    /** Llama, Mistral, SmolLM2. */
    public static final Block LLAMA = new Block(Norm.RMS, Activation.SWIGLU, Biases.NONE, false);

    /** Qwen2 and Qwen2.5. */
    public static final Block QWEN2 = new Block(Norm.RMS, Activation.SWIGLU, Biases.QKV, false);

    public static final Block QWEN3 = new Block(Norm.RMS, Activation.SWIGLU, Biases.NONE, true);

    public static final Block GPT2 = new Block(Norm.LAYER, Activation.GELU, Biases.ALL, false);
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
    if ((heads + 2L * kvHeads) * headDim > Integer.MAX_VALUE || ffnDim > Integer.MAX_VALUE / 2) {
      throw new IllegalArgumentException(
          "a layer of "
              + heads
              + " heads of "
              + headDim
              + " and a feed-forward width of "
              + ffnDim
              + " is too large");
    }
    if (!(normEpsilon > 0)) {
      throw new IllegalArgumentException("norm epsilon must be positive, not " + normEpsilon);
    }
    if (positions instanceof Positions.Rotary rotary) {
      checkRotary(rotary, headDim, context);
    } else if (block.headNorms()) {
      throw new IllegalArgumentException("norms of heads need rotary positions");
    }
  }

  /** A model of the Llama family without scaled frequencies. */
  public TransformerConfig(
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
    this(
        layers,
        dim,
        heads,
        kvHeads,
        headDim,
        ffnDim,
        vocabulary,
        context,
        normEpsilon,
        new Positions.Rotary(ropeTheta, ropePairing, Positions.Scaling.NONE),
        Block.LLAMA,
        tiedOutput);
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " must be at least 1, not " + value);
    }
  }

  private static void checkRotary(Positions.Rotary rotary, int headDim, int context) {
    if (headDim % 2 != 0) {
      throw new IllegalArgumentException(
          "head size must be even for rotary positions, not " + headDim);
    }
    if ((long) context * headDim > Integer.MAX_VALUE / 2) { // two tables, of floats
      throw new IllegalArgumentException(
          "a context of " + context + " tokens is too long for heads of " + headDim);
    }
    if (rotary.scaling() instanceof Positions.PerPair perPair
        && perPair.divisors().size() != headDim / 2) {
      throw new IllegalArgumentException(
          "a head of "
              + headDim
              + " needs "
              + headDim / 2
              + " factors of rope scaling, not "
              + perPair.divisors().size());
    }
  }

  /**
   * Columns of the joint query, key and value projection: {@code (heads + 2 kvHeads) * headDim}.
   */
  public int qkvDim() {
    return (heads + 2 * kvHeads) * headDim;
  }

  /**
   * Columns of the projection into the feed-forward network: {@code ffnDim}, or twice that with a
   * gate.
   */
  public int upDim() {
    return block.activation() == Activation.SWIGLU ? 2 * ffnDim : ffnDim;
  }

  /** Number of weights. */
  public long parameters() {
    return TransformerWeights.shapes(this).values().stream()
        .mapToLong(
            shape -> {
              long elements = 1;
              for (long size : shape) {
                elements *= size;
              }
              return elements;
            })
        .sum();
  }
}
