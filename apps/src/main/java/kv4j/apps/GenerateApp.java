package kv4j.apps;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.model.DemoModel;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.report.JsonFile;
import kv4j.apps.report.Phase;
import kv4j.apps.report.Phases;
import kv4j.apps.report.ProcessReport;
import kv4j.apps.store.OpenStore;
import kv4j.apps.store.StoreChoice;
import kv4j.apps.text.GenerationOptions;
import kv4j.apps.text.SessionCache;
import kv4j.apps.text.TextResult;
import kv4j.apps.text.TextSession;
import kv4j.model.Model;
import kv4j.model.Tokenizer;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** Continues a text: {@code kv4j generate}. */
public final class GenerateApp implements Command {
  static final long CACHE_BYTES = 1L << 30;

  private static final ValueOption<String> PROMPT =
      ValueOption.optional(
          "prompt",
          "TEXT",
          "what to continue (default: standard input, or at a terminal the beginning of a story with "
              + DemoModel.NAME
              + ")",
          text -> text);

  /** How the demo model's stories begin. */
  private static final String STORY = "Once there was a";

  private record Document(@JsonUnwrapped TextResult result, ProcessReport process) {}

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
    TextProgram.addOptions(options);
    StoreChoice.addTo(options);
    return options.addOption(ReportFiles.jsonOption());
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    Phases phases = new Phases(Main.BEGIN_NANOS);
    TextProgram program = new TextProgram(line);
    GenerationOptions generation = program.generation();
    SessionCache cache = SessionCache.of(CACHE_BYTES).withStore(StoreChoice.read(line));
    Optional<JsonFile> json = ReportFiles.json(line, terminal);
    Terminal people = JsonFile.forPeople(json, terminal);
    Optional<String> given = PROMPT.find(line);
    String prompt = given.isPresent() ? given.get() : read(line, terminal);

    phases.ended(Phase.COMMAND);
    program.warmUp();
    program.startNd4j();
    phases.ended(Phase.ND4J);
    try (OpenStore store = program.openStore(cache)) {
      Model model = program.load(terminal).model();
      int[] tokens = tokens(model.tokenizer(), prompt);
      store.await(terminal);
      phases.ended(Phase.MODEL);
      try (TextSession session = program.session(model, cache, store)) {
        phases.ended(Phase.ENGINE);
        store.tellIfNotExact(session.cache().layout().dtype(), terminal);
        Dispatcher.explain(line, terminal, session.describePlan());
        TextResult result =
            session.generate(tokens, generation, generation.stops(), people::write, () -> false);
        people.write("\n");
        terminal.err().println(result.summary());
        ProcessReport process = phases.report(result.ttftMs());
        Dispatcher.explain(line, terminal, List.of(process.summary()));
        if (json.isPresent()) {
          json.get().write(new Document(result, process));
        }
      }
    }
  }

  @Override
  public List<String> examples() {
    return List.of(
        "generate --prompt \"Once there was a brave\"",
        "generate --model model.gguf --prompt \"Once upon a time\"",
        "generate --model stories15M.bin --new-tokens 64 < beginning.txt",
        "generate --model model.gguf --prompt Hello --temperature 0.8 --seed 7");
  }

  private static String read(CommandLine line, Terminal terminal) throws IOException {
    if (terminal.inIsTerminal() && ModelChoice.isDemo(line)) {
      terminal.err().println("without --prompt, this goes on from: " + STORY);
      return STORY;
    }
    if (terminal.inIsTerminal()) {
      terminal.err().println("type what to continue, and Ctrl-D on a line of its own");
    }
    return terminal.readAll();
  }

  private static int[] tokens(Tokenizer tokenizer, String prompt) {
    IntStream begin =
        tokenizer.addsBegin() ? IntStream.of(tokenizer.beginToken()) : IntStream.empty();
    return IntStream.concat(begin, IntStream.of(tokenizer.encode(prompt))).toArray();
  }
}
