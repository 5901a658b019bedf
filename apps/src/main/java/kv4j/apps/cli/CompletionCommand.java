package kv4j.apps.cli;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** Prints a script that makes a shell complete kv4j's command lines. */
public final class CompletionCommand implements Command {
  private static final List<String> SHELLS = List.of("bash", "zsh", "fish");

  private final Supplier<? extends Collection<Command>> commands;

  /**
   * @param commands all there are, this one included
   */
  public CompletionCommand(Supplier<? extends Collection<Command>> commands) {
    this.commands = commands;
  }

  @Override
  public String name() {
    return "completion";
  }

  @Override
  public String description() {
    return "print a script by which a shell completes command lines";
  }

  @Override
  public Optional<String> operand() {
    return Optional.of("SHELL");
  }

  @Override
  public List<String> operandChoices() {
    return SHELLS;
  }

  @Override
  public List<String> examples() {
    return List.of(
        "completion bash > ~/.local/share/bash-completion/completions/kv4j",
        "completion zsh > ~/.zfunc/_kv4j   # a folder on zsh's fpath",
        "completion fish > ~/.config/fish/completions/kv4j.fish");
  }

  @Override
  public Options options() {
    return new Options();
  }

  @Override
  public void run(CommandLine line, Terminal terminal) {
    Completion completion = new Completion(commands.get());
    String shell = line.getArgList().get(0);
    String script =
        switch (shell) {
          case "bash" -> completion.bash();
          case "zsh" -> completion.zsh();
          case "fish" -> completion.fish();
          default ->
              throw new IllegalArgumentException(
                  "completion is for %s, not \"%s\"".formatted(String.join(", ", SHELLS), shell));
        };
    terminal.out().print(script);
  }
}
