package kv4j.apps;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.report.Format;
import kv4j.apps.text.GenerationOptions;
import kv4j.apps.text.TextResult;
import kv4j.apps.text.TextSession;
import kv4j.cache.CacheStats;
import kv4j.cache.TreePrinter;
import kv4j.model.Tokenizer;
import kv4j.model.chat.ChatMessage;
import kv4j.model.chat.ChatTemplate;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/**
 * A conversation, line by line, whose past the cache keeps: {@code kv4j chat}. Each line is a
 * message, but for the commands {@code /stats}, {@code /tree} and {@code /exit}.
 */
public final class ChatApp implements Command {
  /** What ends an answer in the plain template, which has no tokens for that. */
  private static final String NEXT_TURN = "\nuser:";

  private static final ValueOption<String> SYSTEM =
      ValueOption.optional("system", "TEXT", "a system message to begin with", text -> text);
  private static final ValueOption<Long> MAX_BYTES =
      ValueOption.of("max-bytes", "SIZE", "most the cache keeps", "1GiB", Values::bytes);

  public static void main(String[] args) {
    Main.main(new ChatApp(), args);
  }

  @Override
  public String name() {
    return "chat";
  }

  @Override
  public String description() {
    return "talk with a model, line by line; knows /stats, /tree and /exit";
  }

  @Override
  public Options options() {
    Options options = new Options().addOption(SYSTEM.option());
    TextProgram.addOptions(options);
    return options.addOption(MAX_BYTES.option());
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    TextProgram program = new TextProgram(line);
    long maxBytes = MAX_BYTES.in(line);
    LoadedModel loaded = program.load(terminal);
    try (TextSession session = program.session(loaded.model(), maxBytes)) {
      Dispatcher.explain(line, terminal, session.describePlan());
      new Conversation(loaded, session, program.generation(), SYSTEM.find(line), terminal).run();
    }
  }

  /** One conversation from its beginning to the end of the input. */
  private static final class Conversation {
    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    private final TextSession session;
    private final GenerationOptions generation;
    private final List<String> stops;
    private final Terminal terminal;
    private final List<ChatMessage> messages = new ArrayList<>();

    Conversation(
        LoadedModel loaded,
        TextSession session,
        GenerationOptions generation,
        Optional<String> system,
        Terminal terminal) {
      this.session = session;
      this.generation = generation;
      this.terminal = terminal;
      tokenizer = loaded.model().tokenizer();
      template = loaded.template().orElseGet(ChatTemplate::plain);
      Stream<String> turn = loaded.template().isPresent() ? Stream.empty() : Stream.of(NEXT_TURN);
      stops = Stream.concat(generation.stops().stream(), turn).toList();
      system.ifPresent(text -> messages.add(new ChatMessage("system", text)));
    }

    void run() throws IOException {
      BufferedReader lines =
          new BufferedReader(new InputStreamReader(terminal.in(), StandardCharsets.UTF_8));
      String line = next(lines);
      while (line != null && !line.strip().equals("/exit")) {
        switch (line.strip()) {
          case "" -> {}
          case "/stats" -> terminal.out().println(stats(session.cache().stats()));
          case "/tree" ->
              terminal.write(
                  session
                          .cache()
                          .snapshot()
                          .map(t -> TreePrinter.print(t, tokenizer::decode))
                          .orElseThrow()
                      + "\n");
          default -> answer(line);
        }
        line = next(lines);
      }
    }

    private String next(BufferedReader lines) throws IOException {
      if (terminal.outIsTerminal()) {
        terminal.write("> ");
      }
      return lines.readLine();
    }

    private void answer(String line) {
      messages.add(new ChatMessage("user", line));
      int[] prompt = template.encode(tokenizer, messages, true);
      TextResult result = session.generate(prompt, generation, stops, terminal::write);
      terminal.write("\n");
      terminal.err().println(result.summary());
      messages.add(new ChatMessage("assistant", result.text()));
    }

    private static String stats(CacheStats stats) {
      return "%d prompts of %d tokens, %d of them cached (%s); %d blocks, %s"
          .formatted(
              stats.lookups().count(),
              stats.lookups().promptTokens(),
              stats.lookups().cachedTokens(),
              Format.percent(stats.lookups().tokenHitRate()),
              stats.storage().entries(),
              Format.bytes(stats.storage().bytes()));
    }
  }
}
