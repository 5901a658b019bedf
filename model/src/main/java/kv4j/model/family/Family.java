package kv4j.model.family;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.Block;
import kv4j.model.TransformerConfig.RopePairing;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.TensorSource;

/** The supported model families. */
public enum Family {
  LLAMA("llama", List.of("llama", "mistral"), Block.LLAMA, RopePairing.ADJACENT),
  QWEN2("qwen2", List.of("qwen2"), Block.QWEN2, RopePairing.SPLIT),
  QWEN3("qwen3", List.of("qwen3"), Block.QWEN3, RopePairing.SPLIT),
  GPT2("gpt2", List.of("gpt2"), Block.GPT2, null);

  /** The format that has Hugging Face's names; all others have GGUF's. */
  private static final String HUGGING_FACE_FORMAT = "safetensors";

  private final String architecture;
  private final List<String> modelTypes;
  private final Block block;
  private final RopePairing pairing;

  Family(String architecture, List<String> modelTypes, Block block, RopePairing pairing) {
    this.architecture = architecture;
    this.modelTypes = modelTypes;
    this.block = block;
    this.pairing = pairing;
  }

  /**
   * The family of a model file.
   *
   * @throws ModelFileException if it is of none, or does not say
   */
  static Family of(TensorSource source) {
    boolean huggingFace = hasHuggingFaceNames(source);
    String name = huggingFace ? modelType(source) : text(source, "general.architecture");
    for (Family family : values()) {
      List<String> names = huggingFace ? family.modelTypes : List.of(family.architecture);
      if (name != null && names.contains(name)) {
        return family;
      }
    }
    throw new ModelFileException(
        source.origin(),
        (name == null
                ? "does not say what architecture it has"
                : "has the unsupported architecture " + ModelFileException.printable(name))
            + "; supported are "
            + supported(huggingFace));
  }

  /**
   * The family whose layers are made as a config's.
   *
   * @throws IllegalArgumentException if there is none
   */
  static Family of(TransformerConfig config) {
    return Arrays.stream(values())
        .filter(family -> family.block.equals(config.block()))
        .filter(family -> family.isRotary() == GgufConfig.isRotary(config))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no supported family has layers of " + config.block()));
  }

  static boolean hasHuggingFaceNames(TensorSource source) {
    return source.format().equals(HUGGING_FACE_FORMAT);
  }

  private static String supported(boolean huggingFace) {
    return Arrays.stream(values())
        .flatMap(f -> huggingFace ? f.modelTypes.stream() : List.of(f.architecture).stream())
        .collect(Collectors.joining(", "));
  }

  /** {@code model_type}, or else what {@code architectures} begins with. */
  static String modelType(TensorSource source) {
    String type = text(source, "model_type");
    if (type == null
        && source.metadata().get("architectures") instanceof List<?> names
        && !names.isEmpty()
        && names.get(0) instanceof String name) {
      return name.replaceAll("(ForCausalLM|LMHeadModel|Model)$", "").toLowerCase(Locale.ROOT);
    }
    return type;
  }

  private static String text(TensorSource source, String key) {
    return source.metadata().get(key) instanceof String text ? text : null;
  }

  /** What GGUF calls it. */
  public String architecture() {
    return architecture;
  }

  Block block() {
    return block;
  }

  boolean isRotary() {
    return pairing != null;
  }

  /** Which elements of a head are turned together, in GGUF and in every loaded model. */
  RopePairing pairing() {
    return pairing;
  }
}
