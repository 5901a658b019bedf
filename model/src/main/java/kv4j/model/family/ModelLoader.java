package kv4j.model.family;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import kv4j.model.Model;
import kv4j.model.Tokenizer;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerWeights;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;
import kv4j.model.tokenizer.GgufTokenizers;
import kv4j.model.tokenizer.HuggingFaceTokenizer;
import kv4j.model.tokenizer.Llama2cTokenizers;

/** Loads models of the supported families from files of the supported formats. */
public final class ModelLoader {
  /** What llama2.c calls the file beside a checkpoint. */
  private static final String LLAMA2C_TOKENIZER = "tokenizer.bin";

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

  /**
   * The same of an opened file.
   *
   * @throws ModelFileException if it is not a sound file of a supported model
   */
  public static ModelInfo inspect(TensorSource source, Path path, LoadOptions options) {
    Family family = Family.of(source);
    List<String> unknown =
        Family.hasHuggingFaceNames(source)
            ? HuggingFaceConfig.check(source)
            : GgufConfig.check(source, family);
    TransformerConfig config = config(source, family, options);
    WeightReader reader =
        new WeightReader(source, config, TensorNames.of(family, source), options.weights());
    reader.check();
    return new ModelInfo(
        name(source, path),
        source.format(),
        family,
        config,
        reader.bytes(),
        reader.types(),
        unknown);
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
   * Loads a model with the tokenizer that is in its file or beside it.
   *
   * @throws IllegalArgumentException as {@link #load(Path, LoadOptions, TokenizerFinder,
   *     LoadListener)}
   */
  public static Model load(Path path, LoadOptions options, LoadListener listener) {
    return load(path, options, ModelLoader::findTokenizer, listener);
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
      return load(source, path, options, tokenizers, listener);
    }
  }

  /**
   * The same from an opened file.
   *
   * @throws IllegalArgumentException as {@link #load(Path, LoadOptions, TokenizerFinder,
   *     LoadListener)}
   */
  public static Model load(
      TensorSource source,
      Path path,
      LoadOptions options,
      TokenizerFinder tokenizers,
      LoadListener listener) {
    ModelInfo info = inspect(source, path, options);
    if (info.bytes() > options.maxBytes()) {
      throw new ModelFileException(
          source.origin(),
          "the model needs "
              + megabytes(info.bytes())
              + " MB of memory, but may take "
              + (options.maxBytes() >> 20)
              + " MB");
    }
    Tokenizer tokenizer = tokenizers.find(source, path);
    listener.started(info);
    TensorNames names = TensorNames.of(info.family(), source);
    TransformerWeights weights =
        new WeightReader(source, info.config(), names, options.weights()).read(listener);
    return Model.of(info.name(), weights, tokenizer, tokenizerId(tokenizer));
  }

  /**
   * The tokenizer that is in a model file or beside it.
   *
   * @throws ModelFileException if there is none, or it is not sound
   */
  public static Tokenizer findTokenizer(TensorSource source, Path path) {
    Tokenizer tokenizer;
    try {
      tokenizer =
          switch (source.format()) {
            case "safetensors" ->
                HuggingFaceTokenizer.read(
                    Files.isDirectory(path) ? path : path.toAbsolutePath().getParent());
            case "llama2.c" -> Llama2cTokenizers.read(path.resolveSibling(LLAMA2C_TOKENIZER));
            default -> GgufTokenizers.from(source.metadata());
          };
    } catch (IOException e) {
      throw new ModelFileException(source.origin(), "its tokenizer cannot be read (" + e + ")", e);
    } catch (ModelFileException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw new ModelFileException(source.origin(), e.getMessage(), e);
    }
    return tokenizer;
  }

  private static long megabytes(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
  }

  /** Tells tokenizers apart: what kind it is, and what its tokens are called. */
  private static String tokenizerId(Tokenizer tokenizer) {
    StringBuilder id = new StringBuilder(tokenizer.getClass().getSimpleName());
    for (int token = 0; token < tokenizer.vocabulary(); token++) {
      id.append('\n').append(tokenizer.name(token));
    }
    return id.toString();
  }
}
