package kv4j.apps;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.report.JsonFile;
import kv4j.apps.report.Progress;
import kv4j.apps.scale.FleetConfig;
import kv4j.apps.scale.Routing;
import kv4j.apps.scale.ScaleReport;
import kv4j.apps.scale.Simulation;
import kv4j.apps.scale.Trace;
import kv4j.apps.scale.TraceShape;
import kv4j.cache.EvictionPolicy;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** Works out what many servers would find cached: {@code kv4j simulate}. */
public final class SimulateApp implements Command {
  private static final int MOST_NODES = 10_000;

  private static final ValueOption<String> SHAPE =
      ValueOption.of(
              "shape", "NAME", "what requests are like", "conversation", SimulateApp::shapeName)
          .withChoices(List.of("conversation", "tool-agent"));
  private static final ValueOption<Path> TRACE =
      ValueOption.optional(
          "trace",
          "FILE",
          "requests to run instead, in the form of Mooncake's published traces",
          Values::path);
  private static final ValueOption<List<Integer>> NODES =
      ValueOption.of(
          "nodes", "N,N,...", "numbers of servers", "1,2,3,10,100,1000", SimulateApp::nodes);
  private static final ValueOption<Integer> REQUESTS =
      ValueOption.of("requests", "N", "requests for each server", 200, Values::positiveInt);
  private static final ValueOption<Integer> LOAD =
      ValueOption.of(
          "load",
          "PERCENT",
          "how much of the servers' time all prompts would take without a cache",
          60,
          Values::positiveInt);
  private static final ValueOption<Integer> PREFILL =
      ValueOption.of(
          "prefill-rate",
          "N",
          "tokens a second that a server computes; shape S measured",
          3130,
          Values::positiveInt);
  private static final ValueOption<Long> TOKEN =
      ValueOption.of(
          "token-bytes", "SIZE", "bytes of a token's keys and values", "32KiB", Values::bytes);
  private static final ValueOption<Long> MEMORY =
      ValueOption.of(
          "max-bytes", "SIZE", "most bytes that a server's cache keeps", "1GiB", Values::bytes);
  private static final ValueOption<Long> STORE =
      ValueOption.of(
          "store-bytes",
          "SIZE",
          "most bytes that a server keeps of the store they share",
          "8GiB",
          Values::bytes);
  private static final ValueOption<Integer> OWNERS =
      ValueOption.of(
          "store-owners", "N", "servers that keep each block of it", 2, Values::positiveInt);
  private static final ValueOption<Long> NETWORK =
      ValueOption.of(
          "network", "SIZE", "bytes a second that a server reads from it", "1GB", Values::bytes);
  private static final ValueOption<Integer> HASH =
      ValueOption.of(
          "hash-tokens",
          "N",
          "tokens of a prompt's beginning that routing looks at",
          1024,
          Values::positiveInt);
  private static final ValueOption<Long> SEED =
      ValueOption.of("seed", "N", "seed of the requests", 1, Values::wholeNumber);
  private static final ValueOption<EvictionPolicy.Standard> POLICY =
      ValueOption.oneOf(
          "policy", "NAME", "what makes room first", "lru", EvictionPolicy.Standard.class);

  public static void main(String[] args) {
    Main.main(new SimulateApp(), args);
  }

  @Override
  public String name() {
    return "simulate";
  }

  @Override
  public String description() {
    return "work out hit rates and times to first token of many servers";
  }

  @Override
  public List<String> examples() {
    return List.of(
        "simulate",
        "simulate --shape tool-agent --nodes 1,4,16 --hash-tokens 8192",
        "simulate --token-bytes 128KiB --prefill-rate 5000 --max-bytes 40GB",
        "simulate --trace conversation_trace.jsonl --nodes 10,20 --json hits.json");
  }

  @Override
  public Options options() {
    Options options = new Options();
    Stream.of(
            SHAPE, TRACE, NODES, REQUESTS, LOAD, PREFILL, TOKEN, MEMORY, POLICY, STORE, OWNERS,
            NETWORK, HASH, SEED)
        .forEach(option -> options.addOption(option.option()));
    return options.addOption(ReportFiles.jsonOption());
  }

  private static String shapeName(String text) {
    shape(text);
    return text;
  }

  private static TraceShape shape(String text) {
    return Values.oneOf(TraceShape.class, text.replace('-', '_'));
  }

  private static List<Integer> nodes(String text) {
    return Stream.of(text.split(",", -1)).map(each -> Values.intUpTo(MOST_NODES, each)).toList();
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    List<Integer> counts = NODES.in(line);
    Optional<Path> file = TRACE.find(line);
    Optional<JsonFile> json = ReportFiles.json(line, terminal, file.stream().toArray(Path[]::new));
    Optional<Trace> recorded = file.map(Trace::read);
    List<ScaleReport.Row> rows = new ArrayList<>();
    int runs = counts.stream().mapToInt(nodes -> 2 * routings(nodes).size()).sum();
    try (Progress progress = Progress.of("simulating", runs, terminal)) {
      for (int nodes : counts) {
        Trace trace = recorded.orElseGet(() -> draw(line, nodes));
        for (Routing routing : routings(nodes)) {
          for (FleetConfig config : fleets(line, nodes, routing)) {
            rows.add(ScaleReport.Row.of(Simulation.run(trace, config)));
            progress.step(nodes + " nodes");
          }
        }
      }
    }
    ScaleReport report = new ScaleReport(title(line), rows);
    JsonFile.forPeople(json, terminal).write(report.text());
    if (json.isPresent()) {
      json.get().write(report);
    }
  }

  /** Of one server it makes no difference. */
  private static List<Routing> routings(int nodes) {
    return nodes == 1 ? List.of(Routing.TURNS) : List.of(Routing.values());
  }

  private static Trace draw(CommandLine line, int nodes) {
    TraceShape shape = shape(SHAPE.in(line));
    double busy = nodes * LOAD.in(line) / 100.0;
    double rate = busy * PREFILL.in(line) / shape.meanPromptTokens();
    return shape.draw(nodes * REQUESTS.in(line), rate, SEED.in(line));
  }

  /** Without a store and with one. */
  private static List<FleetConfig> fleets(CommandLine line, int nodes, Routing routing) {
    FleetConfig.Store store =
        new FleetConfig.Store(OWNERS.in(line), STORE.in(line), NETWORK.in(line));
    return Stream.of(Optional.<FleetConfig.Store>empty(), Optional.of(store))
        .map(
            shared ->
                new FleetConfig(
                    nodes,
                    routing,
                    HASH.in(line),
                    MEMORY.in(line),
                    POLICY.in(line),
                    shared,
                    TOKEN.in(line),
                    PREFILL.in(line)))
        .toList();
  }

  private static String title(CommandLine line) {
    return TRACE
        .find(line)
        .map(file -> file + ", as recorded")
        .orElseGet(
            () ->
                "%s, %d requests for each node, load %d %%, seed %d"
                    .formatted(SHAPE.in(line), REQUESTS.in(line), LOAD.in(line), SEED.in(line)));
  }
}
