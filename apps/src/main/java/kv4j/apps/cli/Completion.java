package kv4j.apps.cli;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.commons.cli.Option;

/** Scripts by which shells complete command lines, made of the commands' own options. */
final class Completion {
  /** What values that are files or folders are called in the help. */
  private static final Set<String> FILES = Set.of("FILE", "FOLDER", "JAR");

  private final Collection<Command> commands;

  Completion(Collection<Command> commands) {
    this.commands = commands;
  }

  private static Collection<Option> options(Command command) {
    return Dispatcher.options(command).getOptions();
  }

  private static boolean takesFile(Option option) {
    return option.hasArg() && FILES.contains(option.getArgName());
  }

  private static boolean takesFile(Command command) {
    return command.takesMoreOperands() || command.operand().filter(FILES::contains).isPresent();
  }

  /** The operand's values and those of what may follow it, for Zsh. */
  private static List<String> zshOperands(Command command) {
    List<String> choices = command.operandChoices();
    List<String> operands = new ArrayList<>();
    if (!choices.isEmpty()) {
      operands.add(zsh("1: :(" + String.join(" ", choices) + ")"));
    }
    if (takesFile(command)) {
      operands.add(zsh(choices.isEmpty() ? "1:FILE:_files" : "*:FILE:_files"));
    }
    return operands;
  }

  /** For Bash. */
  String bash() {
    String names = commands.stream().map(Command::name).collect(Collectors.joining(" "));
    StringBuilder cases = new StringBuilder();
    for (Command command : commands) {
      String start = "    *' " + command.name() + " ";
      List<String> words = new ArrayList<>(command.operandChoices());
      for (Option option : options(command)) {
        String name = "--" + option.getLongOpt();
        words.add(name);
        List<String> choices = ValueOption.choices(option);
        if (!choices.isEmpty()) {
          cases.append("%s%s') values='%s' ;;\n".formatted(start, name, String.join(" ", choices)));
        } else if (takesFile(option)) {
          cases.append("%s%s') return ;;\n".formatted(start, name));
        } else if (option.hasArg()) {
          cases.append("%s%s') compopt +o default 2>/dev/null; return ;;\n".formatted(start, name));
        }
      }
      if (command.takesMoreOperands()) {
        String first = "    '2 %1$s %1$s') values='%2$s' ;;\n";
        cases.append(first.formatted(command.name(), String.join(" ", words)));
      }
      cases.append("%s'*) ".formatted(start));
      cases.append(takesFile(command) ? "[[ $word == -* ]] || return; " : "");
      cases.append("values='%s' ;;\n".formatted(String.join(" ", words)));
    }
    return """
        # Completes kv4j in Bash; where nothing is named here, Bash completes files.
        _kv4j() {
          local word=${COMP_WORDS[COMP_CWORD]} values=
          COMPREPLY=()
          case "$COMP_CWORD ${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}" in
            1\\ *) values='%s help' ;;
        %s    *' help '*) values='%s' ;;
          esac
          COMPREPLY=($(compgen -W "$values" -- "$word"))
        }
        complete -o default -F _kv4j kv4j
        """
        .formatted(names, cases, names);
  }

  /** For Zsh, in a file named {@code _kv4j} on its {@code fpath} or sourced. */
  String zsh() {
    StringBuilder names = new StringBuilder();
    StringBuilder cases = new StringBuilder();
    for (Command command : commands) {
      names.append("      %s\n".formatted(zsh(command.name(), ":", command.description())));
      cases.append("    %s)\n      _arguments".formatted(command.name()));
      for (Option option : options(command)) {
        String often = option.getType() == ValueOption.REPEATABLE ? "*" : "";
        String name = often + "--" + option.getLongOpt();
        String value = option.hasArg() ? ":" + option.getArgName() + ":" + zshValues(option) : "";
        String description = option.getDescription().replaceAll("([\\[\\]:])", "\\\\$1");
        cases.append(" \\\n        " + zsh(name, "[", description + "]" + value));
      }
      zshOperands(command).forEach(operand -> cases.append(" \\\n        " + operand));
      cases.append("\n      ;;\n");
    }
    return """
        #compdef kv4j
        _kv4j() {
          if (( CURRENT == 2 )); then
            local -a commands=(
        %s    )
            _describe command commands
            return
          fi
          shift words
          (( CURRENT-- ))
          case $words[1] in
        %s  esac
        }
        if [ "$funcstack[1]" = _kv4j ]; then _kv4j "$@"; else compdef _kv4j kv4j; fi
        """
        .formatted(names, cases);
  }

  private static String zshValues(Option option) {
    List<String> choices = ValueOption.choices(option);
    if (!choices.isEmpty()) {
      return "(" + String.join(" ", choices) + ")";
    }
    return takesFile(option) ? "_files" : " ";
  }

  private static String zsh(String... parts) {
    return "'" + String.join("", parts).replace("'", "'\\''") + "'";
  }

  /** For Fish. */
  String fish() {
    StringBuilder lines = new StringBuilder("# Completes kv4j in Fish.\ncomplete -c kv4j -f\n");
    for (Command command : commands) {
      lines.append(
          "complete -c kv4j -n __fish_use_subcommand -a %s -d %s\n"
              .formatted(command.name(), fish(command.description())));
      String start =
          "complete -c kv4j -n '__fish_seen_subcommand_from %s' ".formatted(command.name());
      for (Option option : options(command)) {
        List<String> choices = ValueOption.choices(option);
        String value = option.hasArg() ? "-x " : "";
        if (takesFile(option)) {
          value = "-r -F ";
        } else if (!choices.isEmpty()) {
          value = "-x -a %s ".formatted(fish(String.join(" ", choices)));
        }
        lines.append(
            "%s-l %s %s-d %s\n"
                .formatted(start, option.getLongOpt(), value, fish(option.getDescription())));
      }
      if (takesFile(command)) {
        lines.append(start).append("-F\n");
      }
      if (!command.operandChoices().isEmpty()) {
        lines.append(start + "-a " + fish(String.join(" ", command.operandChoices())) + "\n");
      }
    }
    return lines.toString();
  }

  private static String fish(String text) {
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }
}
