package kv4j.apps;

import java.util.List;
import java.util.Optional;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.workload.PromptSet;
import kv4j.apps.workload.PromptSet.Sizes;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/**
 * Compares caches on requests that share a prompt prefix and end in different questions: {@code
 * kv4j compare}.
 */
public final class PromptComparisonApp implements Command {
  private static final ValueOption<Integer> REQUESTS =
      ValueOption.of(
          "requests", "N", "requests to run", Sizes.DEFAULT.requests(), Values::positiveInt);
  private static final ValueOption<Integer> PREFIX_TOKENS =
      ValueOption.of(
          "prefix-tokens",
          "N",
          "prompt tokens that all requests share, or what there is",
          Sizes.DEFAULT.prefixTokens(),
          Values::positiveInt);
  private static final ValueOption<Integer> SUFFIX_TOKENS =
      ValueOption.of(
          "suffix-tokens",
          "N",
          "most tokens of what follows, different in each",
          Sizes.DEFAULT.suffixTokens(),
          Values::positiveInt);
  private static final ValueOption<Integer> NEW_TOKENS =
      ValueOption.of(
          "new-tokens",
          "N",
          "most tokens to generate for each",
          Sizes.DEFAULT.newTokens(),
          Values::positiveInt);

  public static void main(String[] args) {
    Main.main(new PromptComparisonApp(), args);
  }

  @Override
  public String name() {
    return "compare";
  }

  @Override
  public String description() {
    return "run requests that share a prompt prefix with and without a cache";
  }

  @Override
  public List<String> examples() {
    return List.of(
        "compare --quick",
        "compare --model model.gguf --requests 20 --json report.json",
        "compare --also simple --max-bytes 256MiB",
        "compare --plugins my-cache.jar --cache my-cache");
  }

  @Override
  public Options options() {
    Options options =
        new Options()
            .addOption(REQUESTS.option())
            .addOption(PREFIX_TOKENS.option())
            .addOption(SUFFIX_TOKENS.option())
            .addOption(NEW_TOKENS.option());
    WorkloadProgram.addOptions(options, "%d requests".formatted(Sizes.QUICK.requests()));
    return options;
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    Sizes usual = line.hasOption(WorkloadProgram.QUICK) ? Sizes.QUICK : Sizes.DEFAULT;
    Sizes sizes = sizes(line, usual);
    PromptSet prompts =
        WorkloadProgram.WORKLOAD.find(line).map(PromptSet::read).orElseGet(PromptSet::shipped);
    boolean ownModel = ModelChoice.MODEL.find(line).isPresent();
    WorkloadProgram.run(
        line,
        terminal,
        (model, format) -> {
          int context = ownModel ? model.config().context() : Integer.MAX_VALUE;
          Sizes fitting = prompts.fitting(format, sizes, context);
          // A prefix that is asked for is not shortened.
          int prefix = PREFIX_TOKENS.in(line, fitting.prefixTokens());
          return prompts.workload(format, sizes.withPrefix(prefix));
        },
        Optional.empty(),
        false);
  }

  private static Sizes sizes(CommandLine line, Sizes usual) {
    return new Sizes(
        REQUESTS.in(line, usual.requests()),
        PREFIX_TOKENS.in(line, usual.prefixTokens()),
        SUFFIX_TOKENS.in(line, usual.suffixTokens()),
        NEW_TOKENS.in(line, usual.newTokens()));
  }
}
