package kv4j.apps.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import kv4j.model.family.LoadOptions;
import kv4j.model.family.ModelLoader;
import kv4j.model.tokenizer.GgufTokenizers;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.bytedeco.javacpp.Pointer;

/** The options that say which model to run: a file, or one of the demo models. */
public final class ModelChoice {
  /** A file or folder with a model. */
  public static final ValueOption<Path> MODEL =
      ValueOption.optional(
          "model",
          "FILE",
          "your own model: a GGUF file, a Hugging Face folder, or a llama2.c checkpoint",
          Path::of);

  /** The vocabulary of a llama2.c checkpoint. */
  public static final ValueOption<Path> TOKENIZER =
      ValueOption.optional(
          "tokenizer",
          "FILE",
          "vocabulary of a llama2.c checkpoint (default: tokenizer.bin beside it)",
          Path::of);

  /** Most tokens of a sequence. */
  public static final ValueOption<Integer> CONTEXT =
      ValueOption.optional(
          "context",
          "N",
          "most tokens of a sequence, with --model (default: what the model has)",
          Values::positiveInt);

  /** A demo model. */
  public static final ValueOption<ModelPreset> PRESET =
      ValueOption.of(
          "model-preset",
          "NAME",
          "model: " + presets(),
          ModelPreset.DEMO_32.label(),
          ModelChoice::preset);

  /** Seed of the demo models' weights where a program has no option for it. */
  public static final long SEED = 42;

  private ModelChoice() {}

  /** Adds all of them. */
  public static void addOptions(Options options) {
    for (ValueOption<?> option : List.of(MODEL, TOKENIZER, CONTEXT, PRESET)) {
      options.addOption(option.option());
    }
  }

  /**
   * Checks that the options go together, before anything runs.
   *
   * @throws IllegalArgumentException with one sentence if they do not
   */
  public static void check(CommandLine line) {
    PRESET.in(line);
    CONTEXT.find(line);
    boolean file = MODEL.find(line).isPresent();
    if (file && line.hasOption(PRESET.name())) {
      throw new IllegalArgumentException("--model and --model-preset exclude each other");
    }
    for (ValueOption<?> option : List.of(TOKENIZER, CONTEXT)) {
      if (!file && line.hasOption(option.name())) {
        throw new IllegalArgumentException("--" + option.name() + " needs --model");
      }
    }
  }

  /** The options as given, for another process that is to run the same model. */
  public static List<String> arguments(CommandLine line) {
    List<String> arguments = new ArrayList<>();
    for (ValueOption<?> option : List.of(MODEL, TOKENIZER, CONTEXT, PRESET)) {
      if (line.hasOption(option.name())) {
        arguments.addAll(List.of("--" + option.name(), line.getOptionValue(option.name())));
      }
    }
    return arguments;
  }

  /**
   * Loads or makes the model.
   *
   * @param seed of a demo model's weights
   * @throws IllegalArgumentException with one sentence if the options do not go together, or the
   *     file does not do
   */
  public static LoadedModel load(CommandLine line, long seed, Terminal terminal) {
    check(line);
    Optional<Path> file = MODEL.find(line);
    if (file.isEmpty()) {
      Model demo = DemoModels.create(PRESET.in(line), seed);
      return new LoadedModel(demo, Optional.empty(), GgufTokenizers.metadata(demo.tokenizer()));
    }
    TokenizerFiles files = new TokenizerFiles(TOKENIZER.find(line));
    LoadOptions options = new LoadOptions(CONTEXT.find(line).orElse(Integer.MAX_VALUE), maxBytes());
    try (LoadProgress progress = new LoadProgress(terminal)) {
      return new LoadedModel(
          ModelLoader.load(file.get(), options, files, progress),
          files.template(),
          files.vocabulary());
    }
  }

  /** What there may be off the heap, where weights are. */
  private static long maxBytes() {
    long limit = Pointer.maxBytes();
    return limit > 0 ? limit : Long.MAX_VALUE;
  }

  private static ModelPreset preset(String name) {
    try {
      return ModelPreset.named(name);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("must be one of " + presets() + ", not " + name, e);
    }
  }

  private static String presets() {
    return Arrays.stream(ModelPreset.values())
        .map(ModelPreset::label)
        .collect(Collectors.joining(", "));
  }
}
