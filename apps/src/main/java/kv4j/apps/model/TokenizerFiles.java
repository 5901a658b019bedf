package kv4j.apps.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import kv4j.model.Tokenizer;
import kv4j.model.chat.ChatTemplate;
import kv4j.model.chat.ChatTemplates;
import kv4j.model.family.ModelLoader;
import kv4j.model.format.ModelFileException;
import kv4j.model.format.TensorSource;
import kv4j.model.tokenizer.GgufTokenizers;
import kv4j.model.tokenizer.Llama2cTokenizers;
import kv4j.model.tokenizer.SpecialTokenFiles;

/** Finds a model's tokenizer, and notes the chat template that lies with it. */
public final class TokenizerFiles implements ModelLoader.TokenizerFinder {
  private static final String LLAMA2C = "llama2.c";
  private static final String LLAMA2C_FILE = "tokenizer.bin";
  private static final String GGUF_PREFIX = "tokenizer.";
  private static final String GGUF_ADD_END = "tokenizer.ggml.add_eos_token";

  private final Optional<Path> given;
  private boolean asksForEnd;
  private Optional<ChatTemplate> template = Optional.empty();
  private final Map<String, Object> vocabulary = new LinkedHashMap<>();

  /**
   * @param given the vocabulary of a llama2.c checkpoint, if it is not where it usually is
   */
  public TokenizerFiles(Optional<Path> given) {
    this.given = given;
  }

  /** The template of the last model, if it had one. */
  Optional<ChatTemplate> template() {
    return template;
  }

  /** Its Jinja text. */
  Optional<String> templateText() {
    return template.map(ChatTemplate::source);
  }

  /** GGUF's metadata of the last model's tokenizer; empty if it cannot be told in them. */
  Map<String, Object> vocabulary() {
    return vocabulary;
  }

  /**
   * Whether the last model's tokenizer is told to put an end token behind prompts: nothing would
   * follow from such a prompt, so that it is left out.
   */
  boolean asksForEnd() {
    return asksForEnd;
  }

  @Override
  public Tokenizer find(TensorSource source, Path path) {
    boolean llama2c = source.format().equals(LLAMA2C);
    if (given.isPresent() && !llama2c) {
      throw new IllegalArgumentException(
          "--tokenizer is for llama2.c checkpoints; " + path + " is " + source.format());
    }
    try {
      Tokenizer tokenizer =
          llama2c ? llama2c(source, path) : ModelLoader.findTokenizer(source, path);
      if (source.format().equals("safetensors")) {
        Path folder = Files.isDirectory(path) ? path : path.toAbsolutePath().getParent();
        template = ChatTemplates.read(folder, tokenizer);
        asksForEnd = SpecialTokenFiles.read(folder).addsEnd();
      } else {
        template = ChatTemplates.from(source.metadata(), tokenizer);
        asksForEnd = Boolean.TRUE.equals(source.metadata().get(GGUF_ADD_END));
        source
            .metadata()
            .forEach(
                (key, value) -> {
                  if (key.startsWith(GGUF_PREFIX)) {
                    vocabulary.put(key, value);
                  }
                });
      }
      if (vocabulary.isEmpty()) {
        vocabulary.putAll(GgufTokenizers.metadata(tokenizer));
      }
      return tokenizer;
    } catch (IOException e) {
      throw new ModelFileException(source.origin(), "its tokenizer cannot be read (" + e + ")", e);
    }
  }

  private Tokenizer llama2c(TensorSource source, Path path) throws IOException {
    Path file = given.orElse(path.resolveSibling(LLAMA2C_FILE));
    if (!Files.isReadable(file)) {
      throw new IllegalArgumentException(
          given.isPresent()
              ? "--tokenizer cannot read " + file
              : path + " needs a vocabulary: there is no " + file + ", so name it by --tokenizer");
    }
    Tokenizer tokenizer = Llama2cTokenizers.read(file);
    Object size = source.metadata().get("llama.vocab_size");
    if (size instanceof Number number && number.longValue() != tokenizer.vocabulary()) {
      throw new IllegalArgumentException(
          "%s has %d tokens, but the model %s".formatted(file, tokenizer.vocabulary(), number));
    }
    return tokenizer;
  }
}
