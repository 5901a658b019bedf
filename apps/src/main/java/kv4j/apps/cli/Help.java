package kv4j.apps.cli;

import java.util.Collection;
import java.util.List;
import org.apache.commons.cli.Option;
import org.apache.commons.text.WordUtils;

/** Says what there is to type. */
final class Help {
  private static final int GAP = 2;

  private Help() {}

  /** All commands. */
  static String commands(Collection<Command> commands) {
    StringBuilder text = new StringBuilder("usage: kv4j COMMAND [options]\n\n");
    text.append("Commands:\n");
    List<String> names = commands.stream().map(Command::name).toList();
    int width = longest(names);
    for (Command command : commands) {
      text.append(entry(command.name(), width, command.description()));
    }
    return text.append(
            "\nkv4j COMMAND --help lists the options of a command.\nkv4j --version says which kv4j this is.\n")
        .toString();
  }

  /** One command and its options, in the order in which it gives them. */
  static String command(Command command, Collection<Option> options) {
    StringBuilder text = new StringBuilder("usage: kv4j " + command.name());
    String operand = command.operandIsOptional() ? " [%s]" : " %s";
    command.operand().ifPresent(name -> text.append(operand.formatted(name)));
    text.append(command.takesMoreOperands() ? "..." : "");
    text.append(" [options]\n\n");
    text.append(WordUtils.wrap(command.description(), Terminal.COLUMNS)).append("\n\nOptions:\n");
    int width = longest(options.stream().map(Help::label).toList());
    for (Option option : options) {
      text.append(entry(label(option), width, option.getDescription()));
    }
    if (!command.examples().isEmpty()) {
      text.append("\nExamples:\n");
      command.examples().forEach(line -> text.append("  kv4j ").append(line).append('\n'));
    }
    return text.toString();
  }

  private static String label(Option option) {
    return "--" + option.getLongOpt() + (option.hasArg() ? " " + option.getArgName() : "");
  }

  private static String entry(String label, int width, String description) {
    int column = GAP + width + GAP;
    String start = " ".repeat(GAP) + label + " ".repeat(column - GAP - label.length());
    String next = "\n" + " ".repeat(column);
    return start + WordUtils.wrap(description, Terminal.COLUMNS - column, next, false) + "\n";
  }

  private static int longest(Collection<String> labels) {
    return labels.stream().mapToInt(String::length).max().orElse(0);
  }
}
