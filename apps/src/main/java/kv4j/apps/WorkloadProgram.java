package kv4j.apps;

import static kv4j.apps.cli.Dispatcher.flag;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Plugins;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.cli.WrongAnswersException;
import kv4j.apps.measure.WorkloadOptions;
import kv4j.apps.measure.WorkloadRunner;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.report.JsonFile;
import kv4j.apps.report.Progress;
import kv4j.apps.report.ReportPrinter;
import kv4j.apps.report.RunInfo;
import kv4j.apps.workload.PromptFormat;
import kv4j.apps.workload.Workload;
import kv4j.apps.workload.WorkloadReport;
import kv4j.cache.EvictionPolicy;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvCacheProvider.Setting;
import kv4j.cache.KvCaches;
import kv4j.cache.TreePrinter;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.inference.Blas;
import kv4j.inference.EngineOptions;
import kv4j.inference.InferenceEngine;
import kv4j.model.Model;
import kv4j.model.Tokenizer;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.nd4j.linalg.factory.Nd4j;

/** What the programs that measure a cache on a workload have in common. */
final class WorkloadProgram {
  static final String QUICK = "quick";
  private static final int MOST_THREADS = 256;
  static final ValueOption<Path> WORKLOAD =
      ValueOption.optional("workload", "FILE", "another workload than the one shipped", Path::of);

  private static final Set<String> OWN_CACHES =
      KvCaches.providers(WorkloadProgram.class.getClassLoader()).keySet();
  static final ValueOption<String> CACHE =
      ValueOption.of(
              "cache",
              "NAME",
              "cache under test: " + String.join(", ", OWN_CACHES),
              "radix",
              Values::text)
          .withChoices(OWN_CACHES);
  private static final ValueOption<List<String>> ALSO =
      ValueOption.optional(
          "also",
          "NAMES",
          "more caches to run the same requests, such as simple,radix",
          names -> List.of(Values.text(names).split(",")));
  private static final ValueOption<String> NAMESPACE =
      ValueOption.optional(
          "namespace",
          "NAME",
          "tenant of the requests; caches share nothing across tenants",
          name -> name);
  private static final ValueOption<String> SALT =
      ValueOption.optional(
          "salt",
          "TEXT",
          "a secret of the requests; caches share nothing with requests without it",
          text -> text);
  private static final ValueOption<Integer> BLOCK_SIZE =
      ValueOption.of(
          "block-size", "N", "tokens in a block of the cache", 16, WorkloadProgram::blockSize);
  private static final ValueOption<KvDtype> CACHE_DTYPE =
      ValueOption.oneOf(
          "cache-dtype",
          "TYPE",
          "how caches keep numbers: " + Values.names(KvDtype.class, ", "),
          KvDtype.F32,
          KvDtype.class);
  private static final ValueOption<EvictionPolicy.Standard> POLICY =
      ValueOption.oneOf(
          "policy",
          "NAME",
          "what makes room first: " + Values.names(EvictionPolicy.Standard.class, ", "),
          "lru",
          EvictionPolicy.Standard.class);
  private static final ValueOption<Long> MAX_BYTES =
      ValueOption.of(
          "max-bytes", "SIZE", "most the cache keeps between requests", "1GiB", Values::bytes);
  private static final ValueOption<Duration> TTL =
      ValueOption.optional(
          "ttl",
          "TIME",
          "how long the cache keeps an entry, such as 10m or 1h30m (default: for ever)",
          Values::duration);
  static final ValueOption<Devices.Choice> DEVICE =
      ValueOption.oneOf(
          "device",
          "NAME",
          "cpu, gpu, or auto: a GPU where there is a usable one",
          "auto",
          Devices.Choice.class);
  static final ValueOption<Integer> THREADS =
      ValueOption.of(
          "threads",
          "N",
          "worker threads",
          Runtime.getRuntime().availableProcessors(),
          text -> Values.intUpTo(MOST_THREADS, text));
  private static final ValueOption<Integer> REPEAT =
      ValueOption.of(
          "repeat", "N", "times to run the workload; figures are medians", 1, Values::positiveInt);
  private static final ValueOption<Integer> CONCURRENCY =
      ValueOption.of(
          "concurrency",
          "N",
          "requests to run at once in a further run, against one at a time; 1: no such run",
          1,
          text -> Values.intUpTo(WorkloadOptions.MOST_AT_ONCE, text));
  private static final String SHOW_TREE = "show-tree";
  private static final ValueOption<String> JSON =
      ValueOption.optional(
          "json", "FILE", "write all figures to this file too; - is standard output", Values::text);

  /** Options that some caches have no use for. */
  private static final List<Map.Entry<ValueOption<?>, Setting>> SETTINGS =
      List.of( // no map, as to hash a record for the first time takes 10 ms
          Map.entry(MAX_BYTES, Setting.SIZE_LIMIT),
          Map.entry(TTL, Setting.TIME_TO_LIVE),
          Map.entry(POLICY, Setting.POLICY),
          Map.entry(NAMESPACE, Setting.TENANTS),
          Map.entry(SALT, Setting.TENANTS));

  private WorkloadProgram() {}

  private static int blockSize(String text) {
    int tokens = Values.positiveInt(text);
    if (tokens % KvLayout.TILE != 0) {
      throw new IllegalArgumentException(
          "must be a multiple of %d, not %d: others are slow for every cache, which would flatter the one under test"
              .formatted(KvLayout.TILE, tokens));
    }
    return tokens;
  }

  /**
   * Options of both programs, after a program's own.
   *
   * @param quick what {@code --quick} makes of the sizes
   */
  static void addOptions(Options options, String quick) {
    options
        .addOption(WORKLOAD.option())
        .addOption(flag(QUICK, "smaller sizes where none is given: " + quick))
        .addOption(CACHE.option())
        .addOption(ALSO.option())
        .addOption(NAMESPACE.option())
        .addOption(SALT.option())
        .addOption(BLOCK_SIZE.option())
        .addOption(CACHE_DTYPE.option())
        .addOption(MAX_BYTES.option())
        .addOption(POLICY.option())
        .addOption(TTL.option())
        .addOption(Plugins.OPTION.option());
    ModelChoice.addOptions(options);
    options
        .addOption(ModelChoice.SEED.option())
        .addOption(DEVICE.option())
        .addOption(THREADS.option())
        .addOption(REPEAT.option())
        .addOption(CONCURRENCY.option())
        .addOption(flag(SHOW_TREE, "print what the radix cache keeps at the end, as a tree"))
        .addOption(jsonOption());
  }

  /**
   * Runs a workload with and without the cache, and prints what that measured.
   *
   * @param workload makes the workload for the model, of prompts in its format
   * @param alongside a cache to show side by side with the one under test, unless told otherwise
   * @param everyLayer whether to print a row for each layer
   * @throws IllegalArgumentException with one sentence, before anything runs, if an option does not
   *     do
   */
  static void run(
      CommandLine line,
      Terminal terminal,
      BiFunction<Model, PromptFormat, Workload> workload,
      Optional<String> alongside,
      boolean everyLayer)
      throws IOException, WrongAnswersException {
    String cache = CACHE.in(line);
    List<String> also =
        ALSO.find(line).orElse(alongside.filter(other -> !other.equals(cache)).stream().toList());
    String namespace = NAMESPACE.find(line).orElse("");
    String salt = SALT.find(line).orElse("");
    int blockSize = BLOCK_SIZE.in(line);
    KvDtype dtype = CACHE_DTYPE.in(line);
    EvictionPolicy policy = POLICY.in(line);
    long maxBytes = MAX_BYTES.in(line);
    Optional<Duration> ttl = TTL.find(line);
    ClassLoader loader = Plugins.loader(line);
    ModelChoice.check(line);
    long seed = ModelChoice.seed(line);
    Map<String, KvCacheProvider> providers = KvCaches.providers(loader);
    checkUse(line, names(cache, also, providers.keySet()), providers);
    EngineOptions engineOptions =
        new EngineOptions(THREADS.in(line), EngineOptions.defaults().prefillChunk());
    int repeat = REPEAT.in(line);
    int concurrency = CONCURRENCY.in(line);
    if (concurrency > 1 && !OWN_CACHES.contains(cache)) {
      throw new IllegalArgumentException(
          "--concurrency needs a cache that is in the jar, not " + cache);
    }
    Optional<JsonFile> json = json(line, terminal);
    Terminal people = JsonFile.forPeople(json, terminal);
    String device = Devices.select(DEVICE.in(line));

    LoadedModel loaded = ModelChoice.load(line, seed, terminal);
    Model model = loaded.model();
    PromptFormat format = new PromptFormat(model.tokenizer(), loaded.template());
    if (blockSize > model.config().context()) {
      throw new IllegalArgumentException(
          "--block-size of %d tokens is over the model's context of %d"
              .formatted(blockSize, model.config().context()));
    }
    boolean showTree = line.hasOption(SHOW_TREE);
    String[] tree = {""};
    try (InferenceEngine engine = InferenceEngine.create(model, engineOptions)) {
      Dispatcher.explain(line, terminal, engine.describePlan());
      KvCacheConfig config =
          new KvCacheConfig(engine.layout(blockSize, dtype), maxBytes, ttl).withPolicy(policy);
      WorkloadReport report =
          WorkloadRunner.run(
              engine,
              workload.apply(model, format),
              new WorkloadOptions(
                  cache, also, config, loader, repeat, namespace, salt, concurrency),
              steps -> Progress.of("measuring", steps, terminal),
              used -> {
                if (showTree) {
                  tree[0] = tree(used, model.tokenizer());
                }
              });
      RunInfo info = info(model, engineOptions, device, Optional.of(format.description()));
      people.out().print(ReportPrinter.text(info, report, everyLayer));
      if (showTree) {
        people.out().println(tree[0]);
      }
      people.out().flush();
      if (json.isPresent()) {
        json.get().write(info, report);
      }
      if (!report.faults().isEmpty()) {
        throw new WrongAnswersException(report.faults());
      }
    }
  }

  /** {@code --json}, which several programs have. */
  static Option jsonOption() {
    return JSON.option();
  }

  /**
   * The file that {@code --json} names, if it is given.
   *
   * @param operands files that are read besides those that options name
   * @throws IllegalArgumentException if it cannot be written, or is one of those
   */
  static Optional<JsonFile> json(CommandLine line, Terminal terminal, Path... operands) {
    List<Path> inputs = new ArrayList<>(List.of(operands));
    inputs.addAll(ModelChoice.inputs(line));
    WORKLOAD.find(line).ifPresent(inputs::add);
    return JSON.find(line).map(name -> JsonFile.of(name, inputs, terminal));
  }

  /** The caches to run, each once. */
  private static Set<String> names(String cache, List<String> also, Set<String> known) {
    Set<String> names = new HashSet<>();
    for (String name : Stream.concat(Stream.of(cache), also.stream()).toList()) {
      if (!known.contains(name)) {
        throw new IllegalArgumentException(
            "there is no cache named " + name + "; there are " + String.join(", ", known));
      }
      if (!names.add(name)) {
        throw new IllegalArgumentException("--also names " + name + ", which runs anyway");
      }
    }
    return names;
  }

  /** What none of the caches heeds must not be asked for. */
  private static void checkUse(
      CommandLine line, Set<String> caches, Map<String, KvCacheProvider> providers) {
    Set<Setting> heeded = EnumSet.noneOf(Setting.class);
    caches.forEach(cache -> heeded.addAll(providers.get(cache).settings()));
    for (Map.Entry<ValueOption<?>, Setting> each : SETTINGS) {
      if (!heeded.contains(each.getValue())) {
        refuse(line, each.getKey(), "a cache that keeps something between requests");
      }
    }
    if (OWN_CACHES.containsAll(caches) && !ModelChoice.isProvider(line)) {
      refuse(line, Plugins.OPTION, "a cache or a model that is in the jar");
    }
  }

  private static void refuse(CommandLine line, ValueOption<?> option, String missing) {
    if (line.hasOption(option.name())) {
      throw new IllegalArgumentException("--" + option.name() + " needs " + missing);
    }
  }

  private static String tree(KvCache cache, Tokenizer tokenizer) {
    return cache
        .snapshot()
        .map(tree -> TreePrinter.print(tree, tokenizer::decode))
        .orElse("this cache has no tree to show");
  }

  /** What runs. */
  static RunInfo info(Model model, EngineOptions options, String device, Optional<String> prompts) {
    return new RunInfo(
        new RunInfo.Model(model.name(), model.config().layers(), model.config().parameters()),
        new RunInfo.Backend(
            Nd4j.getBackend().getClass().getSimpleName(), Blas.vendor(), options.threads(), device),
        prompts);
  }
}
