package kv4j.apps.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import kv4j.apps.cli.Plugins;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import kv4j.model.ModelProviders;
import kv4j.model.family.LoadOptions;
import kv4j.model.family.ModelLoader;
import kv4j.model.tokenizer.GgufTokenizers;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** The options that say which model to run: a file, or one that comes with kv4j. */
public final class ModelChoice {
  /** A file or folder with a model, or who makes it. */
  public static final ValueOption<String> MODEL =
      ValueOption.optional(
          "model",
          "FILE",
          "your own model: a GGUF file, a Hugging Face folder, a llama2.c checkpoint, or"
              + " provider:NAME or provider:NAME:ARGUMENT, which a jar of --plugins makes",
          Values::text);

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
          "most tokens of a sequence, with --model FILE (default: what the model has)",
          Values::positiveInt);

  /** How a file's matrices are kept in memory. */
  public static final ValueOption<LoadOptions.Weights> WEIGHTS =
      ValueOption.oneOf(
          "weights",
          "FORM",
          "how matrices of --model FILE are kept in memory: stored, in the bits that the file has,"
              + " or f32; the tokens are the same",
          "stored",
          LoadOptions.Weights.class);

  /** A model that comes with kv4j. */
  public static final ValueOption<String> PRESET = preset(DemoModel.NAME);

  /** Likewise for benchmarks, whose figures are of random weights. */
  public static final ValueOption<String> BENCH_PRESET = preset(ModelPreset.S.label());

  /** Seed of random weights where a program has no option for it. */
  public static final long USUAL_SEED = 42;

  /** Seed of random weights. */
  public static final ValueOption<Long> SEED =
      ValueOption.of(
          "seed",
          "N",
          "seed of the weights of " + randomPresets(),
          USUAL_SEED,
          Values::wholeNumber);

  private static final String PROVIDER = "provider:";
  private static final String[] NONE = {};

  private ModelChoice() {}

  /** Adds all of them. */
  public static void addOptions(Options options) {
    addOptions(options, PRESET);
  }

  /** Likewise, with a default model other than usual. */
  public static void addOptions(Options options, ValueOption<String> preset) {
    for (ValueOption<?> option : List.of(MODEL, TOKENIZER, CONTEXT, WEIGHTS, preset)) {
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
    WEIGHTS.in(line);
    boolean own = MODEL.find(line).isPresent();
    if (own && line.hasOption(PRESET.name())) {
      throw new IllegalArgumentException("--model and --model-preset exclude each other");
    }
    boolean file = own && !isProvider(line);
    for (ValueOption<?> option : List.of(TOKENIZER, CONTEXT, WEIGHTS)) {
      if (!file && line.hasOption(option.name())) {
        throw new IllegalArgumentException("--" + option.name() + " needs --model FILE");
      }
    }
  }

  /**
   * Likewise, in a program for which a jar can only hold models.
   *
   * @throws IllegalArgumentException with one sentence if the options do not go together
   */
  public static void checkWithPlugins(CommandLine line) {
    checkWithPlugins(line, false);
  }

  /**
   * Likewise, in a program for which a jar can hold something else too.
   *
   * @param other whether that is asked for
   * @throws IllegalArgumentException with one sentence if the options do not go together
   */
  public static void checkWithPlugins(CommandLine line, boolean other) {
    check(line);
    if (line.hasOption(Plugins.OPTION.name()) && !isProvider(line) && !other) {
      throw new IllegalArgumentException("--plugins needs --model provider:NAME");
    }
  }

  /** Whether the model is {@link DemoModel}. */
  public static boolean isDemo(CommandLine line) {
    return MODEL.find(line).isEmpty() && PRESET.in(line).equals(DemoModel.NAME);
  }

  /** Whether the model is made by a {@link kv4j.model.ModelProvider}. */
  public static boolean isProvider(CommandLine line) {
    return MODEL.find(line).filter(text -> text.startsWith(PROVIDER)).isPresent();
  }

  /**
   * The seed of random weights, in a program with that option.
   *
   * @throws IllegalArgumentException if it is given for another model
   */
  public static long seed(CommandLine line) {
    if (line.hasOption(SEED.name()) && (MODEL.find(line).isPresent() || isDemo(line))) {
      throw new IllegalArgumentException(
          "--seed is of random weights, and needs --model-preset " + randomPresets());
    }
    return SEED.in(line);
  }

  /** The files and folders that the options name. */
  public static List<Path> inputs(CommandLine line) {
    List<Path> inputs = new ArrayList<>();
    MODEL.find(line).filter(model -> !isProvider(line)).map(Path::of).ifPresent(inputs::add);
    TOKENIZER.find(line).ifPresent(inputs::add);
    inputs.addAll(Plugins.OPTION.all(line));
    return inputs;
  }

  /** The options as given, for another process that is to run the same model. */
  public static List<String> arguments(CommandLine line) {
    List<String> arguments = new ArrayList<>();
    for (ValueOption<?> option :
        List.of(MODEL, TOKENIZER, CONTEXT, WEIGHTS, PRESET, Plugins.OPTION)) {
      for (String value : Objects.requireNonNullElse(line.getOptionValues(option.name()), NONE)) {
        arguments.addAll(List.of("--" + option.name(), value));
      }
    }
    return arguments;
  }

  /**
   * Loads or makes the model.
   *
   * @param seed of random weights
   * @throws IllegalArgumentException with one sentence if the options do not go together, the file
   *     does not do, or there is no such provider
   */
  public static LoadedModel load(CommandLine line, long seed, Terminal terminal) {
    return load(line, PRESET, seed, terminal);
  }

  /**
   * Likewise, with a default model other than usual.
   *
   * @throws IllegalArgumentException as {@link #load(CommandLine, long, Terminal)}
   */
  public static LoadedModel load(
      CommandLine line, ValueOption<String> preset, long seed, Terminal terminal) {
    check(line);
    Optional<String> own = MODEL.find(line);
    if (own.isEmpty()) {
      String name = preset.in(line);
      return name.equals(DemoModel.NAME)
          ? DemoModel.load()
          : withoutTemplate(DemoModels.create(ModelPreset.named(name), seed));
    }
    if (isProvider(line)) {
      return withoutTemplate(provided(own.get().substring(PROVIDER.length()), line));
    }
    TokenizerFiles files = new TokenizerFiles(TOKENIZER.find(line));
    LoadOptions options =
        new LoadOptions(
            CONTEXT.find(line).orElse(Integer.MAX_VALUE),
            Runtime.getRuntime().maxMemory(),
            WEIGHTS.in(line));
    try (LoadProgress progress = new LoadProgress(terminal, CONTEXT.find(line))) {
      Model model = ModelLoader.load(Path.of(own.get()), options, files, progress);
      if (files.asksForEnd()) {
        terminal
            .err()
            .println("add_eos_token is left out: nothing follows from a prompt that has ended");
      }
      return new LoadedModel(model, files.template(), files.vocabulary());
    }
  }

  private static Model provided(String text, CommandLine line) {
    ClassLoader loader = Plugins.loader(line);
    if (ModelProviders.providers(loader).isEmpty()) {
      throw new IllegalArgumentException(
          line.hasOption(Plugins.OPTION.name())
              ? "there are no models in what --plugins names"
              : "--model provider:" + text + " needs --plugins JAR");
    }
    String[] parts = text.split(":", 2);
    return ModelProviders.create(parts[0], parts.length > 1 ? parts[1] : "", loader);
  }

  private static LoadedModel withoutTemplate(Model model) {
    return new LoadedModel(model, Optional.empty(), GgufTokenizers.metadata(model.tokenizer()));
  }

  private static ValueOption<String> preset(String otherwise) {
    List<String> names = new ArrayList<>(List.of(DemoModel.NAME));
    Arrays.stream(ModelPreset.values()).map(ModelPreset::label).forEach(names::add);
    return ValueOption.of(
            "model-preset",
            "NAME",
            "a model that comes with kv4j: %s, trained to answer from a page of facts, or %s, with random weights"
                .formatted(DemoModel.NAME, randomPresets()),
            otherwise,
            text -> known(text, names))
        .withChoices(names);
  }

  private static String known(String text, List<String> names) {
    return names.stream()
        .filter(text::equalsIgnoreCase)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "must be one of " + String.join(", ", names) + ", not " + text));
  }

  private static String randomPresets() {
    return Arrays.stream(ModelPreset.values())
        .map(ModelPreset::label)
        .collect(Collectors.joining(", "))
        .replaceFirst(", (?=[^,]*$)", " or ");
  }
}
