package kv4j.apps;

import java.util.List;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Terminal;

/** The program {@code kv4j}: {@code kv4j COMMAND [options]}. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(run(args, Terminal.system()));
  }

  /** Runs a command line. Returns the exit status. */
  static int run(String[] args, Terminal terminal) {
    return new Dispatcher(List.of()).run(args, terminal);
  }
}
