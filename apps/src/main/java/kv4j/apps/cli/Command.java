package kv4j.apps.cli;

import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** One thing that the program does: {@code kv4j NAME [options]}. */
public interface Command {
  /** What it is called on the command line. */
  String name();

  /** One line for the list of commands. */
  String description();

  /** What the help calls the one thing to be given without an option; empty if there is none. */
  default Optional<String> operand() {
    return Optional.empty();
  }

  /** Whether it also does something without the operand. */
  default boolean operandIsOptional() {
    return false;
  }

  /** Whether files or the like may follow the operand, as many as the command itself checks. */
  default boolean takesMoreOperands() {
    return false;
  }

  /** All that the operand can be, for shells to complete; empty if there is more. */
  default List<String> operandChoices() {
    return List.of();
  }

  /** Command lines to begin with, after {@code kv4j}. */
  default List<String> examples() {
    return List.of();
  }

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
