package kv4j.apps;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.eval.Answer;
import kv4j.apps.eval.EvalReport;
import kv4j.apps.eval.Examiner;
import kv4j.apps.facts.Exam;
import kv4j.apps.measure.CacheChoice;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.report.JsonFile;
import kv4j.apps.report.Progress;
import kv4j.apps.text.SessionCache;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvCaches;
import kv4j.inference.EngineOptions;
import kv4j.inference.InferenceEngine;
import kv4j.inference.schedule.Scheduler;
import kv4j.inference.schedule.SchedulerOptions;
import kv4j.model.Model;
import kv4j.model.chat.ChatTemplate;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** Asks a model questions about pages of facts, and counts right answers: {@code kv4j eval}. */
public final class EvalApp implements Command {
  private static final int MOST_FACTS = 60;
  private static final int KNOWN = 3;
  private static final int MISSING = 1;
  private static final int TURNS = 6;

  private static final ValueOption<Integer> PAGES =
      ValueOption.of("pages", "N", "pages of facts", 20, Values::positiveInt);
  private static final ValueOption<Integer> FACTS =
      ValueOption.of("facts", "N", "facts on a page", 10, text -> Values.intUpTo(MOST_FACTS, text));
  private static final ValueOption<Integer> OTHERS =
      ValueOption.of(
          "others", "N", "sentences on a page that are no facts", 10, Values::positiveInt);
  private static final ValueOption<Long> SEED =
      ValueOption.of("seed", "N", "seed of pages and questions", 1, Values::wholeNumber);

  public static void main(String[] args) {
    Main.main(new EvalApp(), args);
  }

  @Override
  public String name() {
    return "eval";
  }

  @Override
  public String description() {
    return "count a model's right answers to questions about pages of facts";
  }

  @Override
  public List<String> examples() {
    return List.of(
        "eval",
        "eval --pages 500 --facts 30",
        "eval --model model.gguf --cache request --json answers.json");
  }

  @Override
  public Options options() {
    Options options =
        new Options()
            .addOption(PAGES.option())
            .addOption(FACTS.option())
            .addOption(OTHERS.option())
            .addOption(SEED.option())
            .addOption(WorkloadProgram.CACHE.option());
    TextProgram.addModelOptions(options);
    return options.addOption(ReportFiles.jsonOption());
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    int pages = PAGES.in(line);
    Exam.Size size = new Exam.Size(FACTS.in(line), OTHERS.in(line), KNOWN, MISSING, TURNS);
    long seed = SEED.in(line);
    String cacheName = WorkloadProgram.CACHE.in(line);
    KvCacheProvider provider =
        new CacheChoice(cacheName, List.of(), EvalApp.class.getClassLoader()).tested();
    ModelChoice.checkWithPlugins(line);
    Devices.Choice device = WorkloadProgram.DEVICE.in(line);
    EngineOptions engineOptions =
        new EngineOptions(
            WorkloadProgram.THREADS.in(line), EngineOptions.defaults().prefillChunk());
    Optional<JsonFile> json = ReportFiles.json(line, terminal);
    Terminal people = JsonFile.forPeople(json, terminal);
    List<Exam> exams =
        IntStream.range(0, pages).mapToObj(number -> Exam.of(size, seed, number)).toList();

    Devices.select(device);
    LoadedModel loaded = ModelChoice.load(line, ModelChoice.USUAL_SEED, terminal);
    Model model = loaded.model();
    ChatTemplate template =
        loaded
            .template()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "eval needs a model with a chat template, which "
                            + model.name()
                            + " lacks"));
    try (InferenceEngine engine = InferenceEngine.create(model, engineOptions);
        KvCache cache =
            KvCaches.create(
                provider, SessionCache.of(GenerateApp.CACHE_BYTES).config(engine, event -> {}));
        Scheduler scheduler = new Scheduler(engine, cache, SchedulerOptions.defaults());
        Progress progress = Progress.of("asking", pages, terminal)) {
      Examiner examiner = new Examiner(scheduler, template, model.tokenizer());
      examiner.check(exams, model.config().context());
      long start = System.nanoTime();
      List<Answer> answers = examiner.examine(exams, progress);
      double seconds = (System.nanoTime() - start) / 1e9;
      EvalReport report =
          new EvalReport(
              model.name(),
              pages,
              size,
              seed,
              cacheName,
              EvalReport.rows(answers),
              examiner.promptTokens(),
              examiner.cachedTokens(),
              seconds);
      people.write(report.text());
      Dispatcher.explain(line, terminal, answers.stream().map(Answer::toString).toList());
      if (json.isPresent()) {
        json.get().write(report);
      }
    }
  }
}
