package kv4j.apps;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import kv4j.apps.chat.ChatInput;
import kv4j.apps.chat.ChatLoop;
import kv4j.apps.chat.Conversation;
import kv4j.apps.chat.PipedInput;
import kv4j.apps.chat.TypedInput;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.model.DemoModel;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.store.OpenStore;
import kv4j.apps.text.SessionCache;
import kv4j.apps.text.TextSession;
import kv4j.apps.workload.PromptSet;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** A conversation, line by line, whose past the cache keeps: {@code kv4j chat}. */
public final class ChatApp implements Command {
  private static final ValueOption<String> SYSTEM =
      ValueOption.optional(
          "system",
          "TEXT",
          "a system message to begin with (default: none, or the page of compare with "
              + DemoModel.NAME
              + ")",
          text -> text);
  private static final ValueOption<Path> HISTORY =
      ValueOption.optional(
          "history",
          "FILE",
          "keep what is typed in this file, for the arrow keys next time too",
          Values::path);

  public static void main(String[] args) {
    Main.main(new ChatApp(), args);
  }

  @Override
  public String name() {
    return "chat";
  }

  @Override
  public String description() {
    return "talk with a model; /help lists what else can be typed";
  }

  @Override
  public Options options() {
    Options options = new Options().addOption(SYSTEM.option());
    TextProgram.addOptions(options);
    SessionCache.addTo(options);
    return options.addOption(HISTORY.option());
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    TextProgram program = new TextProgram(line);
    SessionCache cache = SessionCache.read(line);
    Optional<Path> history = HISTORY.find(line);
    if (history.isPresent()) {
      checkHistory(history.get(), terminal);
    }
    program.warmUp();
    program.startNd4j();
    Optional<PromptSet> page =
        SYSTEM.find(line).isEmpty() && ModelChoice.isDemo(line)
            ? Optional.of(PromptSet.shipped())
            : Optional.empty();
    Optional<String> system =
        SYSTEM.find(line).or(() -> page.map(set -> String.join("\n", set.system())));
    try (OpenStore store = program.openStore(cache)) {
      LoadedModel loaded = program.load(terminal);
      store.await(terminal);
      try (TextSession session = program.session(loaded.model(), cache, store)) {
        store.tellIfNotExact(session.cache().layout().dtype(), terminal);
        Dispatcher.explain(line, terminal, session.describePlan());
        Conversation conversation = new Conversation(loaded, session, program.generation(), system);
        try (ChatInput input = input(terminal, history)) {
          if (terminal.inIsTerminal()) {
            page.ifPresent(set -> terminal.err().println(invitation(set)));
          }
          new ChatLoop(conversation, session, loaded.model().tokenizer(), input, terminal).run();
        }
      }
    }
  }

  private static String invitation(PromptSet page) {
    return "Ask, for example: %s Or: %s All that is known is what /system shows."
        .formatted(page.questions().get(0).text(), page.questions().get(1).text());
  }

  private static ChatInput input(Terminal terminal, Optional<Path> history) throws IOException {
    if (!terminal.inIsTerminal()) {
      return new PipedInput(terminal.in());
    }
    terminal.err().println("/help lists the commands; Ctrl-C stops an answer, Ctrl-D leaves");
    return new TypedInput(history, ChatLoop.commands());
  }

  private static void checkHistory(Path file, Terminal terminal) {
    if (!terminal.inIsTerminal()) {
      throw new IllegalArgumentException("--history needs a terminal to type at");
    }
    Path folder = file.toAbsolutePath().getParent();
    boolean usable =
        Files.exists(file)
            ? Files.isRegularFile(file) && Files.isReadable(file) && Files.isWritable(file)
            : folder != null && Files.isDirectory(folder) && Files.isWritable(folder);
    if (!usable) {
      throw new IllegalArgumentException("--history cannot keep anything in " + file);
    }
  }

  @Override
  public List<String> examples() {
    return List.of(
        "chat",
        "chat --model folder-from-hugging-face --system \"Be brief.\"",
        "chat --model model.gguf --temperature 0.7 --top-p 0.9",
        "chat --model-preset tiny --new-tokens 20");
  }
}
