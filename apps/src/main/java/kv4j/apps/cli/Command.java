package kv4j.apps.cli;

import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** One thing that the program does: {@code kv4j NAME [options]}. */
public interface Command {
  /** What it is called on the command line. */
  String name();

  /** One line for the list of commands. */
  String description();

  /** What it takes, {@code --help} and {@code --verbose} aside. */
  Options options();

  /**
   * Does it.
   *
   * @throws IllegalArgumentException with one sentence for people if the user has to change
   *     something
   */
  void run(CommandLine line, Terminal terminal) throws Exception;
}
