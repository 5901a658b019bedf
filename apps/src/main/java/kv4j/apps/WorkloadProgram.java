package kv4j.apps;

import static kv4j.apps.cli.Dispatcher.flag;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Plugins;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.cli.WrongAnswersException;
import kv4j.apps.html.WorkloadHtml;
import kv4j.apps.measure.CacheChoice;
import kv4j.apps.measure.WorkloadOptions;
import kv4j.apps.measure.WorkloadRunner;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.report.Csv;
import kv4j.apps.report.JsonFile;
import kv4j.apps.report.Progress;
import kv4j.apps.report.ReportPrinter;
import kv4j.apps.report.RunInfo;
import kv4j.apps.store.OpenStore;
import kv4j.apps.store.StoreChoice;
import kv4j.apps.text.SessionCache;
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
import kv4j.cache.faulty.FaultyCacheProvider;
import kv4j.inference.Blas;
import kv4j.inference.EngineOptions;
import kv4j.inference.InferenceEngine;
import kv4j.model.Model;
import kv4j.model.Tokenizer;
import org.apache.commons.cli.CommandLine;
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
              "cache under test: %s, or %s, which is wrong on purpose"
                  .formatted(String.join(", ", OWN_CACHES), FaultyCacheProvider.NAME),
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

  /** Options that some caches have no use for. */
  private static final List<Map.Entry<ValueOption<?>, Setting>> SETTINGS =
      List.of( // no map, as to hash a record for the first time takes 10 ms
          Map.entry(SessionCache.MAX_BYTES, Setting.SIZE_LIMIT),
          Map.entry(SessionCache.TTL, Setting.TIME_TO_LIVE),
          Map.entry(SessionCache.POLICY, Setting.POLICY),
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
        .addOption(SessionCache.CACHE_DTYPE.option())
        .addOption(SessionCache.MAX_BYTES.option())
        .addOption(SessionCache.POLICY.option())
        .addOption(SessionCache.TTL.option());
    StoreChoice.addTo(options);
    options.addOption(Plugins.OPTION.option());
    ModelChoice.addOptions(options);
    options
        .addOption(ModelChoice.SEED.option())
        .addOption(DEVICE.option())
        .addOption(THREADS.option())
        .addOption(REPEAT.option())
        .addOption(CONCURRENCY.option())
        .addOption(flag(SHOW_TREE, "print what the radix cache keeps at the end, as a tree"));
    ReportFiles.addOptions(options);
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
    KvDtype dtype = SessionCache.CACHE_DTYPE.in(line);
    EvictionPolicy policy = SessionCache.POLICY.in(line);
    long maxBytes = SessionCache.MAX_BYTES.in(line);
    Optional<Duration> ttl = SessionCache.TTL.find(line);
    ClassLoader loader = Plugins.loader(line);
    ModelChoice.check(line);
    long seed = ModelChoice.seed(line);
    CacheChoice caches = new CacheChoice(cache, also, loader);
    checkUse(line, caches);
    EngineOptions engineOptions =
        new EngineOptions(THREADS.in(line), EngineOptions.defaults().prefillChunk());
    Optional<StoreChoice> store = StoreChoice.read(line);
    if (store.isPresent() && !caches.tested().settings().contains(Setting.STORE)) {
      throw new IllegalArgumentException("--store needs the cache radix, not " + cache);
    }
    int repeat = REPEAT.in(line);
    int concurrency = CONCURRENCY.in(line);
    if (concurrency > 1 && !isOwn(caches.tested())) {
      throw new IllegalArgumentException(
          "--concurrency needs a cache that is in the jar, not " + cache);
    }
    ReportFiles files = new ReportFiles(line, terminal);
    Terminal people = files.forPeople(terminal);
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
      Workload requests = workload.apply(model, format);
      WorkloadReport report =
          WorkloadRunner.run(
              engine,
              requests,
              new WorkloadOptions(
                  caches.tested(),
                  caches.alongside(),
                  config,
                  repeat,
                  namespace,
                  salt,
                  concurrency,
                  store.map(choice -> () -> OpenStore.of(Optional.of(choice), loader))),
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
      files.write(
          JsonFile.document(info, report),
          () -> WorkloadHtml.of(info, report, requests, model.tokenizer(), everyLayer),
          () -> Csv.requests(report));
      if (!report.faults().isEmpty()) {
        throw new WrongAnswersException(report.faults());
      }
    }
  }

  /** What none of the caches heeds must not be asked for. */
  private static void checkUse(CommandLine line, CacheChoice caches) {
    Set<Setting> heeded = EnumSet.noneOf(Setting.class);
    caches.all().forEach(cache -> heeded.addAll(cache.settings()));
    for (Map.Entry<ValueOption<?>, Setting> each : SETTINGS) {
      if (!heeded.contains(each.getValue())) {
        refuse(line, each.getKey(), "a cache that keeps something between requests");
      }
    }
    if (caches.all().stream().allMatch(WorkloadProgram::isOwn) && !ModelChoice.isProvider(line)) {
      refuse(line, Plugins.OPTION, "a cache or a model that is in the jar");
    }
  }

  /** Whether a cache is kv4j's, faulty or not. */
  private static boolean isOwn(KvCacheProvider cache) {
    return OWN_CACHES.contains(
        cache instanceof FaultyCacheProvider faulty ? faulty.over().name() : cache.name());
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
