package kv4j.model.family;

import java.nio.file.Path;
import java.util.Map;
import kv4j.model.Model;
import kv4j.model.Tokenizer;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerWeights;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;

/** Loads models of the supported families from files of the supported formats. */
public final class ModelLoader {
  private ModelLoader() {}

  /** Finds the tokenizer that belongs to a model file. */
  public interface TokenizerFinder {
    /**
     * @param source the opened file
     * @param path where it is
     * @throws IllegalArgumentException if there is no tokenizer, or it is not sound
     */
    Tokenizer find(TensorSource source, Path path);
  }

  /**
   * What a file holds and how much memory it would take; reads no weights.
   *
   * @throws ModelFileException if it is not a sound file of a supported model
   */
  public static ModelInfo inspect(Path path, LoadOptions options) {
    try (TensorSource source = ModelFiles.open(path)) {
      return inspect(source, path, options);
    }
  }

  private static ModelInfo inspect(TensorSource source, Path path, LoadOptions options) {
    Family family = Family.of(source);
    TransformerConfig config = config(source, family, options);
    new WeightReader(source, config, TensorNames.of(family, source)).check();
    return new ModelInfo(name(source, path), source.format(), family, config);
  }

  private static TransformerConfig config(TensorSource source, Family family, LoadOptions options) {
    try {
      return Family.hasHuggingFaceNames(source)
          ? HuggingFaceConfig.read(source, family, options)
          : GgufConfig.read(source, family, options);
    } catch (ModelFileException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw new ModelFileException(source.origin(), e.getMessage(), e);
    }
  }

  private static String name(TensorSource source, Path path) {
    return source.metadata().get("general.name") instanceof String name && !name.isBlank()
        ? name
        : path.toAbsolutePath().normalize().getFileName().toString();
  }

  /**
   * Loads a model. Beside the weights themselves this needs a megabyte for each processor.
   *
   * @throws ModelFileException if the file is not sound, the model is not supported, or it needs
   *     more memory than the options allow
   * @throws IllegalArgumentException if the tokenizer cannot be loaded
   */
  public static Model load(
      Path path, LoadOptions options, TokenizerFinder tokenizers, LoadListener listener) {
    try (TensorSource source = ModelFiles.open(path)) {
      ModelInfo info = inspect(source, path, options);
      if (info.bytes() > options.maxBytes()) {
        throw new ModelFileException(
            source.origin(),
            String.format(
                "the model needs %d MB of memory, but may take %d MB",
                megabytes(info.bytes()), options.maxBytes() >> 20));
      }
      Tokenizer tokenizer = tokenizers.find(source, path);
      listener.started(info);
      TensorNames names = TensorNames.of(info.family(), source);
      TransformerWeights weights = new WeightReader(source, info.config(), names).read(listener);
      return Model.of(info.name(), weights, tokenizer, tokenizerId(source));
    }
  }

  private static long megabytes(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
  }

  /** Tells tokenizers apart, as far as the model file does. */
  private static String tokenizerId(TensorSource source) {
    StringBuilder id = new StringBuilder();
    for (Map.Entry<String, Object> entry : source.metadata().entrySet()) {
      if (entry.getKey().startsWith("tokenizer.")) {
        id.append(entry.getKey()).append('=').append(entry.getValue()).append('\n');
      }
    }
    return id.toString();
  }
}
