package kv4j.apps.chat;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import kv4j.apps.chat.Conversation.Answer;
import kv4j.apps.chat.Conversation.Question;
import kv4j.apps.cli.Terminal;
import kv4j.apps.report.Format;
import kv4j.apps.text.TextSession;
import kv4j.cache.CacheStats;
import kv4j.cache.TreePrinter;
import kv4j.model.Tokenizer;

/** Reads messages and commands until there are no more. */
public final class ChatLoop {
  private static final String EXIT = "/exit";
  private static final Map<String, String> COMMANDS = new LinkedHashMap<>();

  static {
    COMMANDS.put("/help", "list these commands");
    COMMANDS.put("/stats", "how much of the prompts was cached, and what the cache holds");
    COMMANDS.put("/tree", "what the cache holds, as a tree");
    COMMANDS.put("/system", "the system message, with which the conversation begins");
    COMMANDS.put("/clear", "begin a new conversation; the cache stays as it is");
    COMMANDS.put(EXIT, "leave, as at the end of the input (Ctrl-D)");
  }

  private final Conversation conversation;
  private final TextSession session;
  private final Tokenizer tokenizer;
  private final ChatInput input;
  private final Terminal terminal;
  private int asked;
  private int refused;

  public ChatLoop(
      Conversation conversation,
      TextSession session,
      Tokenizer tokenizer,
      ChatInput input,
      Terminal terminal) {
    this.conversation = conversation;
    this.session = session;
    this.tokenizer = tokenizer;
    this.input = input;
    this.terminal = terminal;
  }

  /** What can be typed besides messages. */
  public static Set<String> commands() {
    return COMMANDS.keySet();
  }

  /**
   * Runs to the end of the input.
   *
   * @throws IllegalArgumentException at the end, if messages had to be refused and nobody was there
   *     to see it
   */
  public void run() throws IOException {
    Optional<String> message = input.next();
    while (message.isPresent() && !message.get().strip().equals(EXIT)) {
      String text = message.get();
      if (text.startsWith("/")) {
        command(text.strip());
      } else if (!text.isBlank()) {
        say(text);
      }
      message = input.next();
    }
    if (refused > 0 && !terminal.inIsTerminal()) {
      throw new IllegalArgumentException(
          "%d of %d messages were left out, as said above".formatted(refused, asked));
    }
  }

  private void say(String text) {
    asked++;
    Question question;
    try {
      question = conversation.ask(text);
    } catch (IllegalArgumentException e) {
      refused++;
      terminal.err().println("kv4j: " + e.getMessage());
      return;
    }
    if (question.leftOut() > 0) {
      terminal
          .err()
          .printf(
              "the context is full: the conversation goes on without its %s%n",
              question.leftOut() == 1
                  ? "oldest exchange"
                  : question.leftOut() + " oldest exchanges");
    }
    Answer answer = conversation.answer(question, terminal::write, input::asksToStop);
    terminal.write("\n");
    terminal.err().println(answer.result().summary(answer.cachedAnswerTokens()));
  }

  private void command(String name) {
    switch (name) {
      case "/help" -> help();
      case "/stats" -> terminal.out().println(stats(session.cache().stats()));
      case "/tree" -> terminal.write(tree() + "\n");
      case "/system" ->
          terminal.write(conversation.system().orElse("there is no system message") + "\n");
      case "/clear" -> conversation.clear();
      default ->
          terminal
              .err()
              .printf(
                  "kv4j: there is no command %s; there are %s. A message that begins with / needs a"
                      + " space before it.%n",
                  name.split("\\s", 2)[0], String.join(", ", COMMANDS.keySet()));
    }
  }

  private void help() {
    COMMANDS.forEach((name, what) -> terminal.out().printf("%-8s%s%n", name, what));
    terminal
        .out()
        .println(
            """
            Anything else is a message. It goes on in the next line after a \\ at the end, and
            over several lines between \""" and \""". Ctrl-C stops an answer.""");
  }

  private String tree() {
    return session
        .cache()
        .snapshot()
        .map(tree -> TreePrinter.print(tree, tokenizer::decode))
        .orElseThrow();
  }

  private static String stats(CacheStats stats) {
    String read =
        stats
            .store()
            .map(store -> ", %d of these from the store".formatted(stats.lookups().storeTokens()))
            .orElse("");
    return "%d prompts of %d tokens, %d of them cached (%s)%s; %d blocks, %s"
        .formatted(
            stats.lookups().count(),
            stats.lookups().promptTokens(),
            stats.lookups().cachedTokens(),
            Format.percent(stats.lookups().tokenHitRate()),
            read,
            stats.storage().entries(),
            Format.bytes(stats.storage().bytes()));
  }
}
