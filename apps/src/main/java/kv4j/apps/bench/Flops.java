package kv4j.apps.bench;

import kv4j.model.TransformerConfig;

/**
 * Floating-point operations that a transformer needs, a multiplication and an addition counted as
 * two: the projections, attention over what each row sees, and the output head. Norms, rotations,
 * activations and softmax are left out: they are a few hundredths of the whole.
 */
public final class Flops {
  private Flops() {}

  /**
   * Of a forward pass that computes one row's logits.
   *
   * @param before tokens whose keys and values are in place
   * @param rows new tokens, all of which see those and the new ones up to themselves
   */
  public static long pass(TransformerConfig config, int before, int rows) {
    long attentionDim = (long) config.heads() * config.headDim();
    long weights =
        (long) config.dim() * config.qkvDim()
            + attentionDim * config.dim()
            + (long) config.dim() * (config.upDim() + config.ffnDim());
    long seen = (long) rows * before + (long) rows * (rows + 1) / 2;
    long scoresAndMix = 2 * attentionDim * seen;
    long output = (long) config.dim() * config.vocabulary();
    return 2 * (config.layers() * (rows * weights + scoresAndMix) + output);
  }

  /** Of generating tokens after the first, each in a pass of its own. */
  public static long decode(TransformerConfig config, int prompt, int newTokens) {
    long sum = 0;
    for (int i = 0; i < newTokens - 1; i++) {
      sum += pass(config, prompt + i, 1);
    }
    return sum;
  }
}
