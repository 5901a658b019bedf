package kv4j.apps.chat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.Terminal.SignalHandler;
import org.jline.terminal.TerminalBuilder;

/**
 * Messages that a person types at a terminal, with line editing and a history. On a terminal that
 * can do nothing ({@code TERM=dumb}), plain lines.
 */
public final class TypedInput implements ChatInput {
  private static final String PROMPT = "> ";
  private static final Size USUAL_SIZE = new Size(80, 24);
  private static final String MORE = "  ";
  private static final int INTERRUPTED = 130; // 128 + the number of SIGINT, as shells have it

  private final Terminal terminal;
  private final LineReader reader;
  private final boolean keeps;
  private final AtomicBoolean asked = new AtomicBoolean();

  /**
   * @param history file that holds what was typed before and takes what is; empty: only this run's
   * @param commands that the tabulator key completes
   */
  public TypedInput(Optional<Path> history, Collection<String> commands) throws IOException {
    terminal =
        TerminalBuilder.builder()
            .system(true)
            .dumb(true) // without a warning
            .encoding(StandardCharsets.UTF_8)
            .signalHandler(SignalHandler.SIG_DFL)
            .build();
    terminal.handle(Signal.INT, signal -> interrupt()); // but while a line is read
    if (terminal.getWidth() == 0 || terminal.getHeight() == 0) { // nobody has told it
      terminal.setSize(USUAL_SIZE);
    }
    LineReaderBuilder builder =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .parser(TypedInput::parse)
            .completer(new StringsCompleter(commands))
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true) // "!" is a letter
            .variable(LineReader.SECONDARY_PROMPT_PATTERN, MORE);
    history.ifPresent(
        file -> builder.variable(LineReader.HISTORY_FILE, file.toAbsolutePath().normalize()));
    reader = builder.build();
    reader.getWidgets().put(LineReader.CALLBACK_INIT, this::reads);
    keeps = history.isPresent();
  }

  /** A line that goes on takes another. */
  private static ParsedLine parse(String line, int cursor, Parser.ParseContext context) {
    if (context == Parser.ParseContext.ACCEPT_LINE && !Multiline.isComplete(line)) {
      throw new EOFError(-1, -1, "the message goes on");
    }
    return new Word(line, cursor);
  }

  /** A line as one word without quotes and escapes, which a message has no use for. */
  private record Word(String line, int cursor) implements CompletingParsedLine {
    @Override
    public String word() {
      return line;
    }

    @Override
    public int wordCursor() {
      return cursor;
    }

    @Override
    public int wordIndex() {
      return 0;
    }

    @Override
    public List<String> words() {
      return List.of(line);
    }

    @Override
    public CharSequence escape(CharSequence candidate, boolean complete) {
      return candidate;
    }

    @Override
    public int rawWordCursor() {
      return cursor;
    }

    @Override
    public int rawWordLength() {
      return line.length();
    }
  }

  @Override
  public Optional<String> next() {
    while (true) {
      try {
        return Optional.of(Multiline.message(reader.readLine(PROMPT)));
      } catch (UserInterruptException e) {
        if (e.getPartialLine().isEmpty()) {
          terminal.writer().println("(Ctrl-D or /exit leaves)");
        }
      } catch (EndOfFileException e) {
        return Optional.empty();
      }
    }
  }

  /** The line editor has begun, and Ctrl-C is its own now. */
  private boolean reads() {
    asked.set(false);
    return true;
  }

  /** Ctrl-C asks the answer to stop; a second time, it ends the program. */
  private void interrupt() {
    if (asked.getAndSet(true)) {
      System.exit(INTERRUPTED);
    }
  }

  @Override
  public boolean asksToStop() {
    if (Thread.interrupted()) { // which is what the line editor makes of a Ctrl-C that comes late
      asked.set(true);
    }
    return asked.get();
  }

  @Override
  public void close() throws IOException {
    if (keeps) {
      reader.getHistory().save();
    }
    terminal.close();
  }
}
