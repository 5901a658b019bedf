package kv4j.apps;

import static kv4j.apps.cli.Dispatcher.flag;

import java.util.List;
import java.util.Optional;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.workload.AgenticRun;
import kv4j.apps.workload.Workload;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/**
 * Runs the requests of several agents that share a system prompt and whose contexts grow, with and
 * without a cache: {@code kv4j workflow}.
 */
public final class AgenticWorkflowApp implements Command {
  private static final int QUICK_REQUESTS = 10;
  private static final int USUAL_PREFIX = 1000;
  private static final String LAYERS = "layers";

  private static final ValueOption<Integer> REQUESTS =
      ValueOption.optional(
          "requests",
          "N",
          "how many of the run's requests (default: 50, or all that fit)",
          Values::positiveInt);
  private static final ValueOption<Integer> PREFIX_TOKENS =
      ValueOption.of(
          "prefix-tokens",
          "N",
          "tokens of the system prompt that all agents share, or what there is",
          USUAL_PREFIX,
          Values::positiveInt);
  private static final ValueOption<Integer> SUFFIX_TOKENS =
      ValueOption.optional(
          "suffix-tokens",
          "N",
          "most tokens that a step adds to its agent's context (default: all of its text)",
          Values::positiveInt);
  private static final ValueOption<Integer> NEW_TOKENS =
      ValueOption.of(
          "new-tokens", "N", "most tokens to generate for each", 24, Values::positiveInt);

  public static void main(String[] args) {
    Main.main(new AgenticWorkflowApp(), args);
  }

  @Override
  public String name() {
    return "workflow";
  }

  @Override
  public String description() {
    return "run agents that share a system prompt with and without a cache";
  }

  @Override
  public List<String> examples() {
    return List.of(
        "workflow --quick",
        "workflow --model model.gguf --context 4096",
        "workflow --cache radix --max-bytes 64MiB --policy lfu --show-tree");
  }

  @Override
  public Options options() {
    Options options =
        new Options()
            .addOption(REQUESTS.option())
            .addOption(PREFIX_TOKENS.option())
            .addOption(SUFFIX_TOKENS.option())
            .addOption(NEW_TOKENS.option())
            .addOption(flag(LAYERS, "a row for every layer: how often the cache answered it"));
    WorkloadProgram.addOptions(options, "%d requests".formatted(QUICK_REQUESTS));
    return options;
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    boolean quick = line.hasOption(WorkloadProgram.QUICK);
    AgenticRun agents =
        WorkloadProgram.WORKLOAD.find(line).map(AgenticRun::read).orElseGet(AgenticRun::shipped);
    WorkloadProgram.run(
        line,
        terminal,
        (model, format) -> {
          int usualPrefix = Math.min(USUAL_PREFIX, agents.systemTokens(format));
          int prefix = PREFIX_TOKENS.in(line, usualPrefix);
          Workload all =
              agents.workload(format, prefix, SUFFIX_TOKENS.find(line), NEW_TOKENS.in(line));
          int most = quick ? QUICK_REQUESTS : all.requests().size();
          int usual = Math.min(most, Math.max(1, all.fitting(model.config())));
          return all.first(REQUESTS.find(line).orElse(usual));
        },
        Optional.of("simple"),
        line.hasOption(LAYERS));
  }
}
