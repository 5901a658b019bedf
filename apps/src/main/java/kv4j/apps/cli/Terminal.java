package kv4j.apps.cli;

import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Where a command prints and reads.
 *
 * @param in what is typed or piped in
 * @param out for results
 * @param err for progress and complaints
 * @param outIsTerminal whether a person sees {@code out} right away
 * @param errIsTerminal likewise {@code err}
 */
public record Terminal(
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean outIsTerminal,
    boolean errIsTerminal) {
  /** Widest line printed. */
  public static final int COLUMNS = 80;

  /**
   * The process's own streams. The launcher knows which of them are terminals and says so in the
   * properties {@code kv4j.terminal.out} and {@code kv4j.terminal.err}; without it, both are if the
   * JVM has a console.
   */
  public static Terminal system() {
    boolean console = hasConsole();
    return new Terminal(
        System.in,
        System.out,
        System.err,
        property("kv4j.terminal.out", console),
        property("kv4j.terminal.err", console));
  }

  /** With nothing to read. */
  public Terminal(PrintStream out, PrintStream err, boolean outIsTerminal, boolean errIsTerminal) {
    this(InputStream.nullInputStream(), out, err, outIsTerminal, errIsTerminal);
  }

  /** Writes any text at once, as UTF-8. */
  public void write(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.write(bytes, 0, bytes.length);
    out.flush();
  }

  /** All that can be read, as UTF-8, without the end of its last line. */
  public String readAll() throws IOException {
    String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    return text.replaceFirst("\\r?\\n\\z", "");
  }

  private static boolean property(String name, boolean otherwise) {
    String value = System.getProperty(name);
    return value == null ? otherwise : Boolean.parseBoolean(value);
  }

  private static boolean hasConsole() {
    Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      // From JDK 22 on there may be a console that is no terminal, and this method to tell.
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException e) {
      return true;
    }
  }
}
