package kv4j.apps;

import java.util.Optional;
import java.util.stream.IntStream;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.report.JsonFile;
import kv4j.apps.text.GenerationOptions;
import kv4j.apps.text.TextResult;
import kv4j.apps.text.TextSession;
import kv4j.inference.EngineOptions;
import kv4j.model.Model;
import kv4j.model.Tokenizer;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** Continues a text: {@code kv4j generate}. */
public final class GenerateApp implements Command {
  private static final long CACHE_BYTES = 1L << 30;

  private static final ValueOption<String> PROMPT =
      ValueOption.optional(
          "prompt", "TEXT", "what to continue (default: standard input)", text -> text);

  public static void main(String[] args) {
    Main.main(new GenerateApp(), args);
  }

  @Override
  public String name() {
    return "generate";
  }

  @Override
  public String description() {
    return "continue a text, as it is, without a chat template";
  }

  @Override
  public Options options() {
    Options options = new Options().addOption(PROMPT.option());
    ModelChoice.addOptions(options);
    GenerationOptions.addTo(options);
    return options
        .addOption(WorkloadProgram.DEVICE.option())
        .addOption(WorkloadProgram.THREADS.option())
        .addOption(WorkloadProgram.JSON.option());
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    GenerationOptions generation = new GenerationOptions(line);
    ModelChoice.check(line);
    EngineOptions engine =
        new EngineOptions(
            WorkloadProgram.THREADS.in(line), EngineOptions.defaults().prefillChunk());
    Optional<JsonFile> json = WorkloadProgram.JSON.find(line).map(JsonFile::new);
    Devices.select(WorkloadProgram.DEVICE.in(line));
    Optional<String> given = PROMPT.find(line);
    String prompt = given.isPresent() ? given.get() : terminal.readAll();

    Model model = ModelChoice.load(line, ModelChoice.SEED, terminal).model();
    try (TextSession session = new TextSession(model, engine, CACHE_BYTES)) {
      WorkloadProgram.showPlan(line, terminal, session.describePlan());
      TextResult result =
          session.generate(
              tokens(model.tokenizer(), prompt), generation, generation.stops(), terminal::write);
      terminal.write("\n");
      terminal.err().println(result.summary());
      if (json.isPresent()) {
        json.get().write(result);
      }
    }
  }

  private static int[] tokens(Tokenizer tokenizer, String prompt) {
    IntStream begin =
        tokenizer.addsBegin() ? IntStream.of(tokenizer.beginToken()) : IntStream.empty();
    return IntStream.concat(begin, IntStream.of(tokenizer.encode(prompt))).toArray();
  }
}
