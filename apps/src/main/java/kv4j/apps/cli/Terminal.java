package kv4j.apps.cli;

import java.io.Console;
import java.io.PrintStream;

/**
 * Where a command prints.
 *
 * @param out for results
 * @param err for progress and complaints
 * @param outIsTerminal whether a person sees {@code out} right away
 * @param errIsTerminal likewise {@code err}
 */
public record Terminal(
    PrintStream out, PrintStream err, boolean outIsTerminal, boolean errIsTerminal) {
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
        System.out,
        System.err,
        property("kv4j.terminal.out", console),
        property("kv4j.terminal.err", console));
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
