package kv4j.model;

import java.util.Arrays;
import java.util.stream.Collectors;
import kv4j.model.TransformerConfig.RopePairing;

/** Shapes of the built-in demo models, all over the bytes of {@link ByteTokenizer}. */
public enum ModelPreset {
  /** 32 layers of width 256: 24 million weights. */
  DEMO_32("demo-32", "S", shape(32, 256, 8, 4, 704, 4096)),

  /** 32 layers of width 512: 95 million weights. */
  DEMO_32_M("demo-32-m", "M", shape(32, 512, 8, 4, 1408, 4096)),

  /** 2 layers, for tests and quick looks. */
  TINY("tiny", "tiny", shape(2, 64, 4, 2, 176, 4096));

  private final String label;
  private final String alias;
  private final TransformerConfig config;

  ModelPreset(String label, String alias, TransformerConfig config) {
    this.label = label;
    this.alias = alias;
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

  /** The name by which it is chosen, such as {@code demo-32}. */
  public String label() {
    return label;
  }

  public TransformerConfig config() {
    return config;
  }

  /**
   * The preset of a name or alias, in upper or lower case.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static ModelPreset named(String name) {
    for (ModelPreset preset : values()) {
      if (preset.label.equalsIgnoreCase(name) || preset.alias.equalsIgnoreCase(name)) {
        return preset;
      }
    }
    String known =
        Arrays.stream(values())
            .map(p -> p.alias.equals(p.label) ? p.label : p.label + " (" + p.alias + ")")
            .collect(Collectors.joining(", "));
    throw new IllegalArgumentException("no model named " + name + "; there are " + known);
  }
}
