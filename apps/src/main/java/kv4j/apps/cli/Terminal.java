package kv4j.apps.cli;

import java.io.BufferedOutputStream;
import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Where a command prints and reads.
 *
 * @param in what is typed or piped in
 * @param out for results
 * @param err for progress and complaints
 * @param inIsTerminal whether a person types what is read
 * @param outIsTerminal whether a person sees {@code out} right away
 * @param errIsTerminal likewise {@code err}
 */
public record Terminal(
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean inIsTerminal,
    boolean outIsTerminal,
    boolean errIsTerminal) {
  /** Widest line printed. */
  public static final int COLUMNS = 80;

  /**
   * The process's own streams. The launcher knows which of them are terminals and says so in the
   * properties {@code kv4j.terminal.in}, {@code .out} and {@code .err}; without it, all are if the
   * JVM has a console. What goes to a terminal is made harmless on its way; what goes to a file or
   * a pipe is data and stays as it is.
   */
  public static Terminal system() {
    boolean console = hasConsole();
    boolean out = property("kv4j.terminal.out", console);
    boolean err = property("kv4j.terminal.err", console);
    PrintStream results = new PrintStream(new PipeStream(), false, StandardCharsets.UTF_8);
    return new Terminal(
        System.in,
        out ? harmless(results, false) : results,
        err ? harmless(System.err, true) : System.err,
        property("kv4j.terminal.in", console),
        out,
        err);
  }

  /** Of which nobody types the input. */
  public Terminal(
      InputStream in,
      PrintStream out,
      PrintStream err,
      boolean outIsTerminal,
      boolean errIsTerminal) {
    this(in, out, err, false, outIsTerminal, errIsTerminal);
  }

  /** With nothing to read. */
  public Terminal(PrintStream out, PrintStream err, boolean outIsTerminal, boolean errIsTerminal) {
    this(InputStream.nullInputStream(), out, err, outIsTerminal, errIsTerminal);
  }

  /** The same for somebody whose results are to be read beside others on standard output. */
  public Terminal withResultsOnErr() {
    return new Terminal(in, err, err, inIsTerminal, errIsTerminal, errIsTerminal);
  }

  private static PrintStream harmless(PrintStream terminal, boolean returns) {
    OutputStream buffered = new BufferedOutputStream(terminal);
    return new PrintStream(new HarmlessStream(buffered, returns), true, StandardCharsets.UTF_8);
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
