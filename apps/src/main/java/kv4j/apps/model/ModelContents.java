package kv4j.apps.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kv4j.model.Tokenizer;
import kv4j.model.TransformerConfig;
import kv4j.model.family.LoadOptions;
import kv4j.model.family.ModelInfo;
import kv4j.model.family.ModelLoader;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;

/**
 * What is in a model file, as JSON has it.
 *
 * @param file its name
 * @param format such as GGUF
 * @param model what it is, if it is a supported model
 * @param tokenizer of the model, if there is a usable one
 * @param chatTemplate its Jinja text, if there is one
 * @param problems why something above is missing
 * @param metadata what the file says; long lists by their length
 * @param tensors in the file's order
 */
public record ModelContents(
    String file,
    String format,
    Optional<Supported> model,
    Optional<Vocabulary> tokenizer,
    Optional<String> chatTemplate,
    List<String> problems,
    Map<String, Object> metadata,
    List<Tensor> tensors) {
  private static final int LONGEST_LIST = 16;

  /**
   * A model that can be loaded.
   *
   * @param bytes of memory it takes
   * @param unknownKeys of the metadata, taken to be without effect
   */
  public record Supported(
      String name,
      String architecture,
      long parameters,
      long bytes,
      TransformerConfig shape,
      List<String> unknownKeys) {}

  /**
   * A tokenizer.
   *
   * @param kind the class that does it
   * @param begin token that begins a sequence, if there is one
   * @param ends tokens after which a generation stops
   */
  public record Vocabulary(
      String kind,
      int tokens,
      Optional<Token> begin,
      List<Token> ends,
      boolean addsBegin,
      boolean addsSpace) {
    static Vocabulary of(Tokenizer tokenizer) {
      return new Vocabulary(
          tokenizer.getClass().getSimpleName(),
          tokenizer.vocabulary(),
          Token.of(tokenizer, tokenizer.beginToken()),
          tokenizer.endTokens().stream()
              .sorted()
              .flatMap(id -> Token.of(tokenizer, id).stream())
              .toList(),
          tokenizer.addsBegin(),
          tokenizer.addsSpace());
    }
  }

  /** A token by id and name. */
  public record Token(int id, String name) {
    static Optional<Token> of(Tokenizer tokenizer, int id) {
      return id < 0
          ? Optional.empty()
          : Optional.of(new Token(id, id < tokenizer.vocabulary() ? tokenizer.name(id) : ""));
    }
  }

  /**
   * A tensor.
   *
   * @param type as the format names it
   * @param shape the outermost size first
   */
  public record Tensor(String name, String type, List<Long> shape) {}

  /**
   * Reads all but the weights.
   *
   * @param vocabulary of a llama2.c checkpoint, if it is not where it usually is
   * @throws IllegalArgumentException if it is no sound file of a format that is known
   */
  public static ModelContents read(Path file, Optional<Path> vocabulary) {
    List<String> problems = new ArrayList<>();
    try (TensorSource source = ModelFiles.open(file)) {
      Optional<Supported> model = Optional.empty();
      Optional<Vocabulary> tokenizer = Optional.empty();
      TokenizerFiles files = new TokenizerFiles(vocabulary);
      try {
        model = Optional.of(supported(ModelLoader.inspect(source, file, LoadOptions.ALL)));
      } catch (IllegalArgumentException e) {
        problems.add(e.getMessage());
      }
      try {
        tokenizer = Optional.of(Vocabulary.of(files.find(source, file)));
      } catch (IllegalArgumentException e) {
        problems.add(e.getMessage());
      }
      return new ModelContents(
          file.toString(),
          source.format(),
          model,
          tokenizer,
          files.templateText(),
          problems,
          metadata(source),
          source.tensorNames().stream().map(name -> tensor(source, name)).toList());
    }
  }

  private static Supported supported(ModelInfo info) {
    return new Supported(
        info.name(),
        info.family().architecture(),
        info.config().parameters(),
        info.bytes(),
        info.config(),
        info.unknownKeys());
  }

  private static Tensor tensor(TensorSource source, String name) {
    List<Long> shape = Arrays.stream(source.shape(name)).boxed().toList();
    return new Tensor(name, source.dtype(name), shape);
  }

  private static Map<String, Object> metadata(TensorSource source) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    source
        .metadata()
        .forEach(
            (key, value) -> {
              boolean isLong = value instanceof List<?> list && list.size() > LONGEST_LIST;
              metadata.put(key, isLong ? "(" + ((List<?>) value).size() + " values)" : value);
            });
    return metadata;
  }
}
