package kv4j.apps.measure;

import static kv4j.model.TransformerConfig.RopePairing.ADJACENT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import kv4j.apps.ForgetfulCacheProvider;
import kv4j.apps.bench.Flops;
import kv4j.apps.report.Progress;
import kv4j.apps.store.OpenStore;
import kv4j.apps.store.StoreChoice;
import kv4j.apps.store.StoreSpec;
import kv4j.apps.workload.AgenticRun;
import kv4j.apps.workload.CacheRow;
import kv4j.apps.workload.GroupRow;
import kv4j.apps.workload.PromptSet;
import kv4j.apps.workload.PromptSet.Question;
import kv4j.apps.workload.PromptSet.Sizes;
import kv4j.apps.workload.RequestRow;
import kv4j.apps.workload.Restart;
import kv4j.apps.workload.Rounding;
import kv4j.apps.workload.Workload;
import kv4j.apps.workload.WorkloadReport;
import kv4j.apps.workload.WorkloadRequest;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvCaches;
import kv4j.cache.Lookup;
import kv4j.cache.block.KvDtype;
import kv4j.cache.radix.RadixKvCache;
import kv4j.cache.simple.SimplePrefixCache;
import kv4j.cache.store.StoreConfig;
import kv4j.cache.store.StoreOptions;
import kv4j.inference.EngineOptions;
import kv4j.inference.InferenceEngine;
import kv4j.model.ByteTokenizer;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.Tokenizer;
import kv4j.model.TransformerConfig;
import kv4j.model.TransformerGraph;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;

class WorkloadRunnerTest {
  /** The tiny preset's shape, with room for the shipped run of agents. */
  private static final TransformerConfig CONFIG =
      new TransformerConfig(
          2, 64, 4, 2, 16, 176, ByteTokenizer.VOCABULARY, 4096, 1e-5f, 1e4f, ADJACENT, false);

  private static final Model MODEL =
      new Model(
          "small",
          CONFIG,
          TransformerGraph.build(DemoModels.randomWeights(CONFIG, 7)),
          new ByteTokenizer(),
          "small",
          true);
  private static InferenceEngine engine;

  @BeforeAll
  static void start() {
    engine = InferenceEngine.create(MODEL, new EngineOptions(1, 100));
  }

  @AfterAll
  static void stop() {
    engine.close();
  }

  /** Prompts of 150 tokens each. */
  private static Workload questions(int requests) {
    PromptSet shipped = PromptSet.shipped();
    List<Question> twice =
        shipped.questions().stream().map(q -> new Question(q.text() + " " + q.text())).toList();
    return new PromptSet(shipped.name(), shipped.system(), twice)
        .workload(MODEL.tokenizer(), new Sizes(requests, 120, 30, 5));
  }

  /** The beginning of the shipped run, with less of its system prompt. */
  private static Workload agents(int requests) {
    AgenticRun run = AgenticRun.shipped();
    return new AgenticRun(run.name(), run.system().subList(0, 2), run.agents(), run.steps())
        .workload(MODEL.tokenizer(), 4)
        .first(requests);
  }

  private static KvCacheProvider provider(String cache) {
    return new CacheChoice(cache, List.of(), WorkloadRunnerTest.class.getClassLoader()).tested();
  }

  private static WorkloadReport run(Workload workload, String cache, int repeat) {
    return run(workload, cache, repeat, steps -> new Notes(), used -> {});
  }

  private static WorkloadReport run(
      Workload workload,
      String cache,
      int repeat,
      IntFunction<Progress> progress,
      Consumer<KvCache> atEnd) {
    KvCacheConfig config = KvCacheConfig.of(engine.layout(16, KvDtype.F32), 1L << 30);
    return WorkloadRunner.run(
        engine, workload, new WorkloadOptions(provider(cache), config, repeat), progress, atEnd);
  }

  /** Notes what it hears. */
  private static final class Notes implements Progress {
    private final List<String> labels = new ArrayList<>();
    private int ends;

    @Override
    public void step(String label) {
      labels.add(label);
    }

    @Override
    public void close() {
      ends++;
    }
  }

  /** All caches of kv4j's own that keep anything. */
  private static List<String> caches() {
    List<String> names =
        KvCaches.providers(WorkloadRunnerTest.class.getClassLoader()).values().stream()
            .filter(provider -> provider.expectedHits().isPresent())
            .map(KvCacheProvider::name)
            .filter(name -> !name.equals("none"))
            .toList();
    assertTrue(names.containsAll(List.of("request", "simple")), names.toString());
    return names;
  }

  @ParameterizedTest
  @MethodSource("caches")
  void whatIsMeasuredIsWhatWasExpected(String cache) {
    for (Workload workload : List.of(questions(8), agents(6))) {
      WorkloadReport report = run(workload, cache, 1);
      CacheRow row = report.cached();
      assertEquals(cache, row.cache());
      assertEquals(report.expectedTokenHitRate(), row.tokenHitRate(), workload.name());
      assertEquals(cache.equals("request"), row.tokenHitRate() == 0, workload.name());
      assertTrue(report.identicalTokens());
      assertTrue(
          report.maxLogitDifference() <= report.logitTolerance(),
          report.maxLogitDifference() + " > " + report.logitTolerance());
      assertEquals(row.requestHitRate(), row.layerHitRate());
      assertEquals(cache.equals("request"), row.cacheBytes() == 0);
    }
  }

  @Test
  void anExplicitPrefixHitsFromTheSecondRequestOnInEveryRepeat() {
    int n = 8;
    WorkloadReport report = run(questions(n), "simple", 2);
    assertEquals(120.0 * (n - 1) / (150 * n), report.expectedTokenHitRate());
    assertEquals(report.expectedTokenHitRate(), report.cached().tokenHitRate());
    int layers = MODEL.config().layers();
    assertEquals(Collections.nCopies(layers, (long) n), report.layerLookups());
    assertEquals(Collections.nCopies(layers, (long) n - 1), report.layerHits());
    assertEquals(n - 1, report.missReasons().get(Lookup.Reason.END_OF_STORED.label()));
    assertEquals(1, report.missReasons().get(Lookup.Reason.COLD.label()));
    double full = Flops.pass(MODEL.config(), 0, 150);
    double warm = Flops.pass(MODEL.config(), 120, 30);
    assertEquals(n * full / (full + (n - 1) * warm), report.workCeiling().ttft(), 1e-9);
  }

  @Test
  void rowsAreOfTheSameRequestsButForNone() {
    WorkloadReport report = run(questions(3), "request", 1);
    assertEquals(
        List.of("none 1 x 4", "request 3 x 5", "request 3 x 5"),
        report.rows().stream()
            .map(r -> r.cache() + " " + r.requests() + " x " + r.newTokens())
            .toList());
    CacheRow plain = report.rows().get(1);
    assertEquals(
        plain.totalTtftMs() / report.cached().totalTtftMs(), report.speedup().ttft(), 1e-12);
    assertEquals(450, plain.promptTokensPerSecond() * plain.totalTtftMs() / 1000, 1e-6);
    assertEquals(15, plain.outputTokensPerSecond() * plain.totalLatencyMs() / 1000, 1e-6);
    assertEquals(1, report.ceiling().ttft(), "nothing cached, nothing to gain");
    assertEquals(1, report.workCeiling().latency());
    assertEquals(Map.of(Lookup.Reason.NOT_KEPT.label(), 3), report.missReasons());
  }

  @Test
  void aRequestEndsWhereTheModelEndsIt() {
    List<Integer> endless = run(questions(1), "radix", 1).requests().get(0).generated();
    int end = endless.get(2);
    SameDiff graph = TransformerGraph.build(DemoModels.randomWeights(CONFIG, 7));
    Model ending = new Model("ending", CONFIG, graph, new EndingTokenizer(end), "ending", true);
    try (InferenceEngine other = InferenceEngine.create(ending, new EngineOptions(1, 100))) {
      KvCacheConfig config = KvCacheConfig.of(other.layout(16, KvDtype.F32), 1L << 30);
      WorkloadOptions options =
          new WorkloadOptions(provider("radix"), List.of(), config, 1, "", "", 2, Optional.empty());
      WorkloadReport report =
          WorkloadRunner.run(other, questions(3), options, steps -> new Notes(), used -> {});
      assertEquals(List.of(), report.faults());
      List<Integer> first = report.requests().get(0).generated();
      assertEquals(endless.subList(0, endless.indexOf(end) + 1), first);
      for (RequestRow row : report.requests()) {
        int at = row.generated().indexOf(end);
        assertEquals(at < 0 ? 5 : at + 1, row.generated().size());
      }
    }
  }

  /** Bytes, one of which ends a text. */
  private record EndingTokenizer(int endToken) implements Tokenizer {
    private static final ByteTokenizer BYTES = new ByteTokenizer();

    @Override
    public int vocabulary() {
      return BYTES.vocabulary();
    }

    @Override
    public int[] encode(String text) {
      return BYTES.encode(text);
    }

    @Override
    public String decode(int... tokens) {
      return BYTES.decode(tokens);
    }

    @Override
    public int beginToken() {
      return BYTES.beginToken();
    }
  }

  @Test
  void groupsAddUpToTheWhole() {
    Workload workload = agents(6);
    WorkloadReport report = run(workload, "simple", 2);
    assertEquals(
        List.of("planner", "researcher", "tester"),
        report.groups().stream().map(GroupRow::group).toList());
    assertEquals(6, report.groups().stream().mapToInt(GroupRow::requests).sum());
    long prompt = report.groups().stream().mapToLong(GroupRow::promptTokens).sum();
    long cached = report.groups().stream().mapToLong(GroupRow::cachedTokens).sum();
    assertEquals(report.cached().tokenHitRate(), (double) cached / prompt);
    assertEquals(
        report.secondsSaved(),
        report.groups().stream().mapToDouble(GroupRow::secondsSaved).sum(),
        1e-9);
  }

  private static WorkloadReport withPlugin(Path folder, String cache, List<String> alongside)
      throws IOException {
    KvCacheConfig config = KvCacheConfig.of(engine.layout(16, KvDtype.F32), 1L << 30);
    URL[] plugin = {ForgetfulCacheProvider.plugin(folder).toUri().toURL()};
    ClassLoader own = WorkloadRunnerTest.class.getClassLoader();
    try (URLClassLoader loader = new URLClassLoader(plugin, own)) {
      CacheChoice caches = new CacheChoice(cache, alongside, loader);
      return WorkloadRunner.run(
          engine,
          questions(3),
          new WorkloadOptions(
              caches.tested(), caches.alongside(), config, 1, "", "", 1, Optional.empty()),
          steps -> new Notes(),
          used -> {});
    }
  }

  private static WorkloadReport restarted(Path folder, Optional<KvDtype> dtype, int requests) {
    StoreChoice choice =
        new StoreChoice(
            new StoreSpec("files", StoreOptions.of(folder.toString()), Optional.empty()),
            StoreConfig.When.COMMIT,
            16,
            dtype,
            Duration.ofMinutes(2));
    ClassLoader loader = WorkloadRunnerTest.class.getClassLoader();
    KvCacheConfig config = KvCacheConfig.of(engine.layout(16, KvDtype.F32), 1L << 30);
    WorkloadOptions options =
        new WorkloadOptions(
            provider("radix"),
            List.of(),
            config,
            2,
            "",
            "",
            1,
            Optional.of(() -> OpenStore.of(Optional.of(choice), loader)));
    return WorkloadRunner.run(
        engine, questions(requests), options, steps -> new Notes(), used -> {});
  }

  /** What the first prompt left is found by the others, in whole blocks. */
  @Test
  void afterARestartPromptsGoOnFromWhatIsInTheStore(@TempDir Path folder) {
    WorkloadReport report = restarted(folder, Optional.empty(), 4);
    List<WorkloadRequest> requests = questions(4).requests();
    int expected = 0;
    for (WorkloadRequest other : requests.subList(1, 4)) {
      expected += Arrays.mismatch(requests.get(0).prompt(), other.prompt()) / 16 * 16;
    }
    Restart restart = report.restart().orElseThrow();
    assertTrue(expected > 0);
    assertEquals(expected, restart.storeTokens());
    assertEquals(3 * 150, restart.promptTokens());
    assertEquals(3, restart.requests());
    assertEquals("files:" + folder, restart.store());
    assertTrue(restart.exact() && restart.identicalTokens());
    assertEquals(List.of(), report.faults());
  }

  @Test
  void aStoreOfFewerBitsNeedNotGiveTheSameTokens(@TempDir Path folder) {
    WorkloadReport report = restarted(folder, Optional.of(KvDtype.I8), 1);
    Restart restart = report.restart().orElseThrow();
    assertFalse(restart.exact());
    assertEquals(1, restart.requests());
    assertEquals(144, restart.storeTokens()); // of the same prompt's 149
    assertEquals(List.of(), report.faults());
  }

  @Test
  void aCacheThatSpoilsValuesIsFoundOut() {
    WorkloadReport report = run(questions(3), "faulty:layer=1:amount=2", 1);
    assertFalse(report.identicalTokens());
    assertTrue(report.maxLogitDifference() > report.logitTolerance());
    assertEquals(report.cached().tokenHitRate(), report.expectedTokenHitRate());
    assertEquals(3, report.faults().size(), report.faults().toString());
    assertEquals(2, report.spoiled().get(0).answers(), "all but the first, which was cold");
    assertEquals(report.spoiled().get(0).toString(), report.faults().get(2));
    assertEquals("runs of one request gave different tokens", report.faults().get(0));
    assertTrue(report.faults().get(1).startsWith("a logit differs by "), report.faults().get(1));
  }

  @Test
  void oneThatSpoilsThemBesideIsFoundOutToo(@TempDir Path folder) throws IOException {
    WorkloadReport report = withPlugin(folder, "radix", List.of("simple", "faulty"));
    assertFalse(report.faults().isEmpty());
    assertEquals(
        List.of("none", "request", "simple", "faulty", "radix"),
        report.rows().stream().map(CacheRow::cache).toList());
    CacheRow simple = report.rows().get(2);
    assertTrue(simple.cacheBytes() > 0 && simple.tokenHitRate() > 0, simple.toString());
    assertEquals(1, report.expectedTokenHitRate() / report.cached().tokenHitRate());
  }

  @Test
  void oneThatFindsLessThanItKeepsIsFoundOut(@TempDir Path folder) throws IOException {
    WorkloadReport report = withPlugin(folder, "forgetful", List.of());
    assertTrue(report.identicalTokens());
    assertEquals(
        List.of("the cache kept all and found other tokens than it should have"), report.faults());
  }

  private static WorkloadReport withRoomFor(long bytes, String cache) {
    KvCacheConfig config = KvCacheConfig.of(engine.layout(16, KvDtype.F32), bytes);
    return WorkloadRunner.run(
        engine,
        questions(4),
        new WorkloadOptions(provider(cache), config, 1),
        steps -> new Notes(),
        used -> {});
  }

  @Test
  void whoHadToGiveUpSomethingMayFindLess() {
    WorkloadReport tight = withRoomFor(6 * engine.layout(16, KvDtype.F32).bytesPerBlock(), "radix");
    assertTrue(tight.cached().tokenHitRate() < tight.expectedTokenHitRate());
    assertEquals(List.of(), tight.faults());
  }

  @Test
  void aPrefixThatDoesNotFitIsRefusedBeforeAnythingRuns() {
    long needed = SimplePrefixCache.bytesForPrefix(engine.layout(16, KvDtype.F32), 120);
    assertEquals(List.of(), withRoomFor(needed, "simple").faults());
    String refusal =
        assertThrows(IllegalArgumentException.class, () -> withRoomFor(needed - 1, "simple"))
            .getMessage();
    assertTrue(refusal.contains("too small for one prefix of 120 tokens"), refusal);
  }

  @Test
  void roundingIsMeasuredAgainstFloats() {
    KvCacheConfig config = KvCacheConfig.of(engine.layout(16, KvDtype.I8), 1L << 30);
    WorkloadReport report =
        WorkloadRunner.run(
            engine,
            questions(3),
            new WorkloadOptions(provider("radix"), config, 1),
            steps -> new Notes(),
            used -> {});
    Rounding rounding = report.rounding().orElseThrow();
    assertEquals("i8", rounding.dtype());
    assertEquals(engine.layout(16, KvDtype.I8).bytesPerToken(), rounding.bytesPerToken());
    assertEquals(engine.layout(16, KvDtype.F32).bytesPerToken(), rounding.f32BytesPerToken());
    assertTrue(
        rounding.maxLogitDifference() > 1e-4 && rounding.maxLogitDifference() < 1,
        rounding.toString());
    assertTrue(
        rounding.unchangedTokens() > 0.4 && rounding.unchangedTokens() <= 1, rounding.toString());
    assertTrue(run(questions(1), "radix", 1).rounding().isEmpty());
  }

  @Test
  void theCacheUnderTestCanBeLookedInto() {
    List<Long> entries = new ArrayList<>();
    run(
        questions(2),
        "radix",
        2,
        steps -> new Notes(),
        cache -> {
          assertTrue(cache instanceof RadixKvCache, cache.toString());
          entries.add(cache.stats().storage().entries());
        });
    assertEquals(2, entries.size());
    assertTrue(entries.get(0) > 0 && entries.get(0).equals(entries.get(1)), entries.toString());
  }

  @Test
  void thereAreAsManyStepsAsAnnounced() {
    Notes notes = new Notes();
    int[] announced = {0};
    run(
        questions(4),
        "request",
        2,
        steps -> {
          announced[0] += steps;
          return notes;
        },
        used -> {});
    assertEquals(announced[0], notes.labels.size());
    assertEquals(1, notes.ends);
    assertEquals("request 4 of 4, request", notes.labels.get(notes.labels.size() - 1));
  }

  @Test
  void aPromptThatDoesNotFitIsRefusedBeforeAnythingRuns() {
    Workload tooLong = AgenticRun.shipped().workload(MODEL.tokenizer(), 2000);
    Throwable e =
        assertThrows(IllegalArgumentException.class, () -> run(tooLong, "request", 1, null, null));
    assertTrue(e.getMessage().contains("does not fit the model's context of 4096"), e.getMessage());
  }
}
