package kv4j.apps;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.CompletionCommand;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Terminal;

/** The program {@code kv4j}: {@code kv4j COMMAND [options]}. */
public final class Main {
  /** When the first line of the program ran, in the sense of {@link System#nanoTime}. */
  static final long BEGIN_NANOS = System.nanoTime();

  private static final List<Command> COMMANDS =
      List.of(
          new PromptComparisonApp(),
          new AgenticWorkflowApp(),
          new GenerateApp(),
          new ChatApp(),
          new ServeApp(),
          new CacheApp(),
          new EvalApp(),
          new InspectApp(),
          new ExportApp(),
          new BenchApp(),
          new LessonApp(),
          new SimulateApp(),
          new CompletionCommand(() -> Main.COMMANDS));

  private Main() {}

  public static void main(String[] args) {
    boolean rehearsal = args.length == 1 && args[0].equals(Rehearsal.NAME);
    System.exit(rehearsal ? Rehearsal.run() : run(args, Terminal.system()));
  }

  /** The program that is one command only. */
  static void main(Command command, String[] args) {
    main(Stream.concat(Stream.of(command.name()), Stream.of(args)).toArray(String[]::new));
  }

  /** Runs a command line. Returns the exit status. */
  static int run(String[] args, Terminal terminal) {
    VectorApi.load();
    Nd4jSetup.prepare(Arrays.asList(args).contains("--verbose"));
    return new Dispatcher(COMMANDS).run(args, terminal);
  }
}
