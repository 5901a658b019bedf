package kv4j.model;

import java.util.Arrays;
import java.util.stream.Collectors;
import kv4j.model.TransformerConfig.RopePairing;

/**
 * Shapes of models with random weights, all over the bytes of {@link ByteTokenizer}: what they say
 * means nothing, but takes as long to compute as if it did.
 */
public enum ModelPreset {
  /** 32 layers of width 256: 24 million weights. */
  S("S", shape(32, 256, 8, 4, 704, 4096)),

  /** 32 layers of width 512: 95 million weights. */
  M("M", shape(32, 512, 8, 4, 1408, 4096)),

  /** 2 layers, for tests and quick looks. */
  TINY("tiny", shape(2, 64, 4, 2, 176, 4096));

  private final String label;
  private final TransformerConfig config;

  ModelPreset(String label, TransformerConfig config) {
    this.label = label;
    this.config = config;
  }

  private static TransformerConfig shape(
      int layers, int dim, int heads, int kvHeads, int ffnDim, int context) {
    return new TransformerConfig(
        layers,
        dim,
        heads,
        kvHeads,
        dim / heads,
        ffnDim,
        ByteTokenizer.VOCABULARY,
        context,
        1e-5f,
        10_000f,
        RopePairing.ADJACENT,
        false);
  }

  /** The name by which it is chosen, such as {@code S}. */
  public String label() {
    return label;
  }

  public TransformerConfig config() {
    return config;
  }

  /**
   * The preset of a name, in upper or lower case.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static ModelPreset named(String name) {
    for (ModelPreset preset : values()) {
      if (preset.label.equalsIgnoreCase(name)) {
        return preset;
      }
    }
    String known =
        Arrays.stream(values()).map(ModelPreset::label).collect(Collectors.joining(", "));
    throw new IllegalArgumentException("no model named " + name + "; there are " + known);
  }
}
