package kv4j.apps;

import static kv4j.apps.cli.Dispatcher.flag;

import kv4j.apps.cli.Command;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.inference.workload.AgenticRun;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/**
 * Runs the requests of several agents that share a system prompt and whose contexts grow, with and
 * without a cache: {@code kv4j workflow}.
 */
public final class AgenticWorkflowApp implements Command {
  private static final int QUICK_REQUESTS = 10;
  private static final int QUICK_NEW_TOKENS = 8;
  private static final String LAYERS = "layers";

  private static final ValueOption<Integer> REQUESTS =
      ValueOption.of("requests", "N", "how many of the run's requests", 50, Values::positiveInt);
  private static final ValueOption<Integer> NEW_TOKENS =
      ValueOption.of("new-tokens", "N", "tokens to generate for each", 16, Values::positiveInt);

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
  public Options options() {
    Options options =
        new Options()
            .addOption(REQUESTS.option())
            .addOption(NEW_TOKENS.option())
            .addOption(flag(LAYERS, "a row for every layer: how often the cache answered it"));
    WorkloadProgram.addOptions(
        options, "%d requests, %d new tokens".formatted(QUICK_REQUESTS, QUICK_NEW_TOKENS));
    return options;
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    boolean quick = line.hasOption(WorkloadProgram.QUICK);
    int requests = quick ? REQUESTS.in(line, QUICK_REQUESTS) : REQUESTS.in(line);
    int newTokens = quick ? NEW_TOKENS.in(line, QUICK_NEW_TOKENS) : NEW_TOKENS.in(line);
    AgenticRun agents =
        WorkloadProgram.WORKLOAD.find(line).map(AgenticRun::read).orElseGet(AgenticRun::shipped);
    WorkloadProgram.run(
        line,
        terminal,
        tokenizer -> agents.workload(tokenizer, newTokens).first(requests),
        line.hasOption(LAYERS));
  }
}
