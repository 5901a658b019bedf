package kv4j.apps;

import static kv4j.apps.cli.Dispatcher.flag;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import kv4j.apps.bench.Bench;
import kv4j.apps.bench.BenchOptions;
import kv4j.apps.bench.BenchPrinter;
import kv4j.apps.bench.BenchReport;
import kv4j.apps.bench.ChildJvm;
import kv4j.apps.bench.ColdPrinter;
import kv4j.apps.bench.ColdReport;
import kv4j.apps.bench.ColdStart;
import kv4j.apps.bench.Comparison;
import kv4j.apps.bench.OtherJvm;
import kv4j.apps.bench.Pass;
import kv4j.apps.bench.ServingPrinter;
import kv4j.apps.bench.ServingReport;
import kv4j.apps.bench.serving.ServingBench;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Plugins;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.html.BenchHtml;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.report.Progress;
import kv4j.apps.report.RunInfo;
import kv4j.inference.EngineOptions;
import kv4j.inference.InferenceEngine;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerConfig.RopePairing;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/**
 * Times the engine's forward passes beside the machine's limits, SameDiff's own session and other
 * ways to run the engine: {@code kv4j bench}.
 */
public final class BenchApp implements Command {
  private static final int QUICK_REPEAT = 8;
  private static final int LONG_CONTEXT = 4096;
  private static final String COLD = "cold";
  private static final String SERVING = "serving";

  /** A model by its numbers: layers, dim, heads, kvHeads, ffn and perhaps vocabulary. */
  private static final ValueOption<List<Integer>> SHAPE =
      ValueOption.optional(
          "shape",
          "LIST",
          "any other model: layers,dim,heads,kvHeads,ffn, and if need be ,vocabulary",
          BenchApp::shape);

  private static final ValueOption<Integer> REPEAT =
      ValueOption.of(
          "repeat", "N", "rounds to measure; fewer of what takes long", 20, Values::positiveInt);
  private static final ValueOption<Integer> CONTEXT_LONG =
      ValueOption.optional(
          "context-long",
          "N",
          "measure again near the end of a context of N tokens (default: 4096, or what the model"
              + " has)",
          BenchApp::longContext);
  private static final ValueOption<Integer> PREFILL_CHUNK =
      ValueOption.of(
          "prefill-chunk",
          "N",
          "most new tokens in one pass",
          EngineOptions.defaults().prefillChunk(),
          Values::positiveInt);
  private static final ValueOption<List<Comparison>> COMPARE =
      ValueOption.optional(
          "compare",
          "LIST",
          "what to compare with: "
              + Values.names(Comparison.class, ", ")
              + ", or none (default: all that is possible)",
          Comparison::list);

  public static void main(String[] args) {
    Main.main(new BenchApp(), args);
  }

  @Override
  public String name() {
    return "bench";
  }

  @Override
  public String description() {
    return "time prefill, warm prefill and decode beside what the machine can do";
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bench",
        "bench --model model.gguf --compare plain --repeat 10",
        "bench --shape 2,64,4,2,176 --json bench.json",
        "bench --cold --repeat 10",
        "bench --serving --repeat 5");
  }

  @Override
  public Options options() {
    Options options =
        new Options()
            .addOption(
                flag(
                    WorkloadProgram.QUICK,
                    "less where nothing is given: %d rounds, no long context"
                        .formatted(QUICK_REPEAT)))
            .addOption(
                flag(COLD, "time whole processes instead, from their start to the first token"))
            .addOption(
                flag(
                    SERVING,
                    "time many requests at once instead: generating side by side, a short prompt"
                        + " during the prefill of a long one, and through the server"));
    ModelChoice.addOptions(options, ModelChoice.BENCH_PRESET);
    options
        .addOption(Plugins.OPTION.option())
        .addOption(SHAPE.option())
        .addOption(WorkloadProgram.THREADS.option())
        .addOption(REPEAT.option())
        .addOption(CONTEXT_LONG.option())
        .addOption(PREFILL_CHUNK.option())
        .addOption(COMPARE.option());
    ReportFiles.addOptions(options);
    return options;
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    boolean quick = line.hasOption(WorkloadProgram.QUICK);
    int repeat = quick ? REPEAT.in(line, QUICK_REPEAT) : REPEAT.in(line);
    EngineOptions engine =
        new EngineOptions(WorkloadProgram.THREADS.in(line), PREFILL_CHUNK.in(line));
    Optional<Integer> wantedLong = CONTEXT_LONG.find(line);
    checkModel(line);
    Optional<List<Comparison>> wanted = COMPARE.find(line);
    ReportFiles files = new ReportFiles(line, terminal);
    String device = Devices.select(Devices.Choice.CPU);
    if (line.hasOption(COLD)) {
      cold(line, engine, repeat, files, terminal);
      return;
    }
    if (line.hasOption(SERVING)) {
      serving(line, engine, repeat, files, terminal);
      return;
    }
    wanted.ifPresent(BenchApp::checkPossible);

    Model model = model(line, wantedLong.orElse(LONG_CONTEXT), terminal);
    int context = model.config().context();
    checkContext(context, wantedLong);
    int longContext = wantedLong.orElse(Math.min(LONG_CONTEXT, context));
    boolean isLong =
        wantedLong.isPresent() || (!quick && longContext >= BenchOptions.MIN_LONG_CONTEXT);
    BenchOptions options =
        new BenchOptions(
            engine,
            isLong ? OptionalInt.of(longContext) : OptionalInt.empty(),
            repeat,
            wanted.orElseGet(Comparison::possible));
    OtherJvm otherJvm = new OtherJvm(new ChildJvm(Main.class), arguments(line, options));
    try (InferenceEngine compiled = InferenceEngine.create(model, engine)) {
      Dispatcher.explain(line, terminal, compiled.describePlan());
    }
    BenchReport report = measured(model, options, device, otherJvm, terminal);
    files.forPeople(terminal).out().print(BenchPrinter.text(report));
    files.write(report.document(), () -> BenchHtml.of(report), report::csv);
  }

  /** Times processes that generate a token. */
  private static void cold(
      CommandLine line, EngineOptions engine, int processes, ReportFiles files, Terminal terminal)
      throws IOException, InterruptedException {
    Model model = load(line, terminal).model();
    List<String> arguments = new ArrayList<>(List.of("generate", "--new-tokens", "1"));
    arguments.addAll(List.of("--device", "cpu"));
    List<String> chosen = ModelChoice.arguments(line);
    ValueOption<String> preset = ModelChoice.BENCH_PRESET;
    arguments.addAll(chosen.isEmpty() ? List.of("--" + preset.name(), preset.in(line)) : chosen);
    add(arguments, WorkloadProgram.THREADS, engine.threads());
    ColdStart start = new ColdStart(new ChildJvm(Main.class), arguments);
    ColdReport report = measured(model, engine, start, processes, terminal);
    files.forPeople(terminal).out().print(ColdPrinter.text(report));
    files.write(report.document(), () -> BenchHtml.of(report), report::csv);
  }

  private static BenchReport measured(
      Model model, BenchOptions options, String device, OtherJvm otherJvm, Terminal terminal)
      throws IOException, InterruptedException {
    RunInfo info = WorkloadProgram.info(model, options.engine(), device, Optional.empty());
    try (Progress progress = Progress.of("measuring", Bench.steps(options), terminal)) {
      return Bench.run(model, options, info, otherJvm, progress);
    }
  }

  private static ColdReport measured(
      Model model, EngineOptions engine, ColdStart start, int processes, Terminal terminal)
      throws IOException, InterruptedException {
    RunInfo info = WorkloadProgram.info(model, engine, "cpu", Optional.empty());
    try (Progress progress = Progress.of("measuring", ColdStart.steps(processes), terminal)) {
      return start.run(model, info, processes, progress);
    }
  }

  /** Times many requests at once. */
  private static void serving(
      CommandLine line, EngineOptions engine, int rounds, ReportFiles files, Terminal terminal)
      throws Exception {
    LoadedModel model = load(line, terminal);
    int context = model.model().config().context();
    if (context < ServingBench.CONTEXT) {
      throw new IllegalArgumentException(
          "--%s needs a context of %d tokens, but the model has %d"
              .formatted(SERVING, ServingBench.CONTEXT, context));
    }
    ServingReport report;
    try (Progress progress = Progress.of("measuring", ServingBench.steps(rounds), terminal)) {
      report =
          ServingBench.run(
              model,
              engine,
              WorkloadProgram.info(model.model(), engine, "cpu", Optional.empty()),
              rounds,
              progress);
    }
    files.forPeople(terminal).out().print(ServingPrinter.text(report));
    files.write(report.document(), () -> BenchHtml.of(report), report::csv);
  }

  private static void checkPossible(List<Comparison> wanted) {
    for (Comparison comparison : wanted) {
      comparison
          .obstacle()
          .ifPresent(
              obstacle -> {
                throw new IllegalArgumentException("--compare is not possible: " + obstacle);
              });
    }
  }

  /** The same measurement, in half the rounds, by another process with nothing to compare. */
  private static List<String> arguments(CommandLine line, BenchOptions options) {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("bench", "--" + WorkloadProgram.QUICK, "--" + COMPARE.name(), "none"));
    arguments.addAll(ModelChoice.arguments(line));
    if (line.hasOption(SHAPE.name())) {
      arguments.addAll(List.of("--" + SHAPE.name(), line.getOptionValue(SHAPE.name())));
    }
    add(arguments, WorkloadProgram.THREADS, options.engine().threads());
    add(arguments, PREFILL_CHUNK, options.engine().prefillChunk());
    add(arguments, REPEAT, (options.repeat() + 1) / 2);
    options.longContext().ifPresent(tokens -> add(arguments, CONTEXT_LONG, tokens));
    return arguments;
  }

  private static void add(List<String> arguments, ValueOption<?> option, int value) {
    arguments.addAll(List.of("--" + option.name(), Integer.toString(value)));
  }

  private static void checkModel(CommandLine line) {
    ModelChoice.checkWithPlugins(line);
    checkAlone(
        line,
        COLD,
        List.of(SERVING, SHAPE.name(), CONTEXT_LONG.name(), PREFILL_CHUNK.name(), COMPARE.name()));
    checkAlone(line, SERVING, List.of(SHAPE.name(), CONTEXT_LONG.name(), COMPARE.name()));
    if (SHAPE.find(line).isPresent()) {
      for (ValueOption<?> option : List.of(ModelChoice.BENCH_PRESET, ModelChoice.MODEL)) {
        if (line.hasOption(option.name())) {
          throw new IllegalArgumentException(
              "--" + option.name() + " and --" + SHAPE.name() + " exclude each other");
        }
      }
    }
  }

  private static void checkAlone(CommandLine line, String name, List<String> others) {
    for (String other : others) {
      if (line.hasOption(name) && line.hasOption(other)) {
        throw new IllegalArgumentException(
            "--%s and --%s exclude each other".formatted(other, name));
      }
    }
  }

  private static Model model(CommandLine line, int context, Terminal terminal) {
    Optional<List<Integer>> shape = SHAPE.find(line);
    return shape.isPresent()
        ? DemoModels.create(
            line.getOptionValue(SHAPE.name()), config(shape.get(), context), ModelChoice.USUAL_SEED)
        : load(line, terminal).model();
  }

  private static LoadedModel load(CommandLine line, Terminal terminal) {
    return ModelChoice.load(line, ModelChoice.BENCH_PRESET, ModelChoice.USUAL_SEED, terminal);
  }

  private static void checkContext(int context, Optional<Integer> wantedLong) {
    int least = BenchReport.SHORT.stream().mapToInt(Pass::end).max().orElseThrow();
    if (context < least) {
      throw new IllegalArgumentException(
          "the benchmark needs a context of %d tokens, but the model has %d"
              .formatted(least, context));
    }
    if (wantedLong.orElse(0) > context) {
      throw new IllegalArgumentException(
          "--context-long must be at most the model's context of %d tokens, not %d"
              .formatted(context, wantedLong.get()));
    }
  }

  private static List<Integer> shape(String text) {
    List<Integer> numbers = Stream.of(text.split(",")).map(Values::positiveInt).toList();
    if (numbers.size() < 5 || numbers.size() > 6) {
      throw new IllegalArgumentException(
          "must be layers,dim,heads,kvHeads,ffn or these and ,vocabulary, not " + text);
    }
    if (numbers.get(1) % numbers.get(2) != 0) {
      throw new IllegalArgumentException(
          "must have a dim that is a multiple of heads, unlike " + text);
    }
    config(numbers, LONG_CONTEXT);
    return numbers;
  }

  private static TransformerConfig config(List<Integer> shape, int context) {
    int dim = shape.get(1);
    int heads = shape.get(2);
    return new TransformerConfig(
        shape.get(0),
        dim,
        heads,
        shape.get(3),
        dim / heads,
        shape.get(4),
        shape.size() > 5 ? shape.get(5) : ByteTokenizer.VOCABULARY,
        context,
        1e-5f,
        10_000f,
        RopePairing.ADJACENT,
        false);
  }

  private static int longContext(String text) {
    int tokens = Values.positiveInt(text);
    if (tokens < BenchOptions.MIN_LONG_CONTEXT) {
      throw new IllegalArgumentException(
          "must be at least %d, not %d".formatted(BenchOptions.MIN_LONG_CONTEXT, tokens));
    }
    return tokens;
  }
}
