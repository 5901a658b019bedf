package kv4j.apps.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.Set;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.MissingArgumentException;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.UnrecognizedOptionException;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** Picks the command that the first argument names, and turns what becomes of it into a status. */
public final class Dispatcher {
  /** All went well. */
  public static final int OK = 0;

  /** Something broke. */
  public static final int FAILED = 1;

  /** The user has to change something. */
  public static final int BAD_INPUT = 2;

  /** All ran, and the answers are wrong, or what was checked is damaged. */
  public static final int WRONG_ANSWERS = 3;

  private static final int LIKELY_TYPO = 3;

  /** The option by which all commands say more. */
  public static final String VERBOSE = "verbose";

  private static final String HELP = "help";
  private static final String VERSION = "version";

  private final Map<String, Command> commands = new LinkedHashMap<>();

  public Dispatcher(List<Command> commands) {
    commands.forEach(command -> this.commands.put(command.name(), command));
  }

  /** Runs a command line. What goes wrong is one sentence on {@code err}. */
  public int run(String[] args, Terminal terminal) {
    try {
      dispatch(args, terminal);
      return OK;
    } catch (IllegalArgumentException | ParseException e) {
      complain(e, e.getMessage(), args, terminal);
      return BAD_INPUT;
    } catch (ServiceConfigurationError e) {
      complain(e, "a plugin cannot be loaded: " + e.getMessage(), args, terminal);
      return BAD_INPUT;
    } catch (WrongAnswersException | DamagedException e) {
      complain(e, e.getMessage(), args, terminal);
      return WRONG_ANSWERS;
    } catch (Exception | OutOfMemoryError | LinkageError e) {
      complain(e, Failures.sentence(e), args, terminal);
      return FAILED;
    }
  }

  private static void complain(Throwable cause, String sentence, String[] args, Terminal terminal) {
    terminal.err().println("kv4j: " + sentence);
    if (Arrays.asList(args).contains("--" + VERBOSE)) {
      cause.printStackTrace(terminal.err());
    }
  }

  private void dispatch(String[] args, Terminal terminal) throws Exception {
    List<String> rest = new ArrayList<>(Arrays.asList(args));
    String name = rest.isEmpty() ? HELP : rest.remove(0);
    if (name.equals(HELP) && !rest.isEmpty()) {
      name = rest.remove(0);
      rest = new ArrayList<>(List.of("--" + HELP));
    }
    if (name.equals(HELP) || name.equals("--" + HELP) || name.equals("-h")) {
      terminal.out().print(Help.commands(commands.values()));
      return;
    }
    if (name.equals(VERSION) || name.equals("--" + VERSION)) {
      terminal.out().println(Version.text());
      return;
    }
    Command command = commands.get(name);
    if (command == null) {
      throw new IllegalArgumentException(
          "there is no command \"" + name + "\"" + suggestion(name, "", commands.keySet()));
    }
    Options options = options(command);
    rest.replaceAll(argument -> argument.equals("-h") ? "--" + HELP : argument);
    CommandLine line = parse(name, options, rest.toArray(String[]::new));
    checkOperands(command, line);
    if (line.hasOption(HELP)) {
      terminal.out().print(Help.command(command, options.getOptions()));
    } else {
      command.run(line, terminal);
    }
  }

  /** All options of a command, those that every command has among them. */
  static Options options(Command command) {
    Options options = command.options();
    options.addOption(
        flag(VERBOSE, "show the compiled plan, what ND4J logs, and where an error arose"));
    return options.addOption(flag(HELP, "list these options"));
  }

  /** Prints lines on stderr if the user wants to know more. */
  public static void explain(CommandLine line, Terminal terminal, List<String> lines) {
    if (line.hasOption(VERBOSE)) {
      lines.forEach(terminal.err()::println);
    }
  }

  /** An option without a value. */
  public static Option flag(String name, String description) {
    return Option.builder().longOpt(name).desc(description).get();
  }

  private static CommandLine parse(String command, Options options, String[] args)
      throws ParseException {
    CommandLine line;
    try {
      line = DefaultParser.builder().setAllowPartialMatching(false).get().parse(options, args);
    } catch (UnrecognizedOptionException e) {
      String given = e.getOption();
      List<String> known = options.getOptions().stream().map(Option::getLongOpt).toList();
      throw new IllegalArgumentException(
          command
              + " has no option "
              + given
              + suggestion(given.replaceFirst("^-+", ""), "--", known),
          e);
    } catch (MissingArgumentException e) {
      Option option = e.getOption();
      throw new IllegalArgumentException(
          "--" + option.getLongOpt() + " needs a value: " + option.getDescription(), e);
    }
    checkGivenOnce(line);
    return line;
  }

  /** Of several values, all but one would go unheard. */
  private static void checkGivenOnce(CommandLine line) {
    Set<Option> seen = new HashSet<>();
    for (Option option : line.getOptions()) {
      if (!seen.add(option) && option.getType() != ValueOption.REPEATABLE) {
        throw new IllegalArgumentException("--" + option.getLongOpt() + " is given more than once");
      }
    }
  }

  private static void checkOperands(Command command, CommandLine line) {
    List<String> operands = line.getArgList();
    if (command.operand().isEmpty() && !operands.isEmpty()) {
      throw new IllegalArgumentException(
          command.name() + " takes options only, not \"" + operands.get(0) + "\"");
    }
    boolean none = operands.isEmpty() && (command.operandIsOptional() || line.hasOption(HELP));
    boolean tooMany = operands.size() > 1 && !command.takesMoreOperands();
    if (command.operand().isPresent() && (operands.isEmpty() || tooMany) && !none) {
      throw new IllegalArgumentException(
          "%s needs one %s, not %d"
              .formatted(command.name(), command.operand().get(), operands.size()));
    }
  }

  private static String suggestion(String given, String prefix, Collection<String> known) {
    LevenshteinDistance distance = new LevenshteinDistance(LIKELY_TYPO);
    String nearest = null;
    int least = Integer.MAX_VALUE;
    for (String candidate : known) {
      int edits = distance.apply(given, candidate);
      if (edits >= 0 && edits < least) {
        nearest = candidate;
        least = edits;
      }
    }
    if (nearest != null) {
      return "; did you mean " + prefix + nearest + "?";
    }
    return "; there are " + prefix + String.join(", " + prefix, known);
  }
}
