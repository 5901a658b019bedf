package kv4j.apps.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The scripts, run by the shells themselves. */
class CompletionTest {
  @TempDir private Path folder;

  /** A command with an option of each kind, and what shells take for syntax in its texts. */
  private record Sample(
      String name, Optional<String> operand, List<String> operandChoices, boolean takesMoreOperands)
      implements Command {
    Sample(String name, Optional<String> operand) {
      this(name, operand, List.of(), false);
    }

    @Override
    public String description() {
      return "it's [a] \"test\": $HOME `x` \\";
    }

    @Override
    public Options options() {
      return new Options()
          .addOption(
              ValueOption.of("policy", "NAME", "one's: [a], b", "lru", v -> v)
                  .withChoices(List.of("lru", "lfu", "fifo"))
                  .option())
          .addOption(ValueOption.optional("model", "FILE", "a $file", v -> v).option())
          .addOption(ValueOption.repeatable("stop", "TEXT", "\\n", v -> v).option())
          .addOption(Dispatcher.flag("quick", "100% 'quick'"));
    }

    @Override
    public void run(CommandLine line, Terminal terminal) {}
  }

  private static final List<Command> COMMANDS =
      List.of(
          new Sample("compare", Optional.empty()),
          new Sample("inspect", Optional.of("FILE")),
          new Sample("move", Optional.of("WAY"), List.of("up", "down"), true),
          new CompletionCommand(List::of));
  private static final Completion COMPLETION = new Completion(COMMANDS);

  private String run(String shell, String... arguments) throws IOException, InterruptedException {
    List<String> command = new java.util.ArrayList<>(List.of(shell));
    command.addAll(List.of(arguments));
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      Assumptions.abort("there is no " + shell);
      throw e;
    }
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output;
  }

  private String bash(String... words) throws IOException, InterruptedException {
    Path script = folder.resolve("kv4j.bash");
    Files.writeString(script, COMPLETION.bash());
    String line = "'" + String.join("' '", words) + "'";
    String code =
        "source '%s'; COMP_WORDS=(kv4j %s); COMP_CWORD=%d; _kv4j; echo \"${COMPREPLY[@]}\""
            .formatted(script, line, words.length);
    return run("bash", "--norc", "-c", code).strip();
  }

  @Test
  void bashCompletesCommandsOptionsAndValues() throws Exception {
    assertEquals("compare inspect move completion help", bash(""));
    assertEquals("compare completion", bash("co"));
    assertEquals("--policy --model --stop --quick --verbose --help", bash("compare", ""));
    assertEquals("--quick", bash("compare", "--policy", "lru", "--q"));
    assertEquals("lru lfu fifo", bash("compare", "--policy", ""));
    assertEquals("lru lfu", bash("compare", "--policy", "l"));
    assertEquals("", bash("compare", "--model", "x"));
    assertEquals("", bash("compare", "--stop", "x"));
    assertEquals("", bash("inspect", "x"));
    assertEquals("--quick", bash("inspect", "--q"));
    assertTrue(bash("completion", "").startsWith("bash zsh fish --verbose"));
    assertTrue(bash("move", "").startsWith("up down --policy"));
    assertEquals("", bash("move", "up", "x"));
    assertEquals("--quick", bash("move", "up", "x", "--q"));
    assertEquals("inspect", bash("help", "i"));
  }

  @Test
  void zshTakesTheScript() throws Exception {
    Path script = folder.resolve("_kv4j");
    Files.writeString(script, COMPLETION.zsh());
    String code =
        "autoload -Uz compinit; compinit -D -u; source '"
            + script
            + "'; whence -v _kv4j; print ${_comps[kv4j]}";
    String output = run("zsh", "-f", "-c", code);
    assertTrue(output.contains("_kv4j is a shell function"), output);
    assertTrue(output.strip().endsWith("\n_kv4j"), output);
  }

  @Test
  void fishCompletesCommandsOptionsAndValues() throws Exception {
    Path script = folder.resolve("kv4j.fish");
    Files.writeString(script, COMPLETION.fish());
    String complete = "source '" + script + "'; complete -C '%s'";
    String commands = run("fish", "--no-config", "-c", complete.formatted("kv4j "));
    assertTrue(commands.contains("compare\tit's [a] \"test\": $HOME `x` \\"), commands);
    assertEquals(4, commands.lines().count(), commands);
    String options = run("fish", "--no-config", "-c", complete.formatted("kv4j compare --"));
    assertTrue(options.contains("--policy\tone's: [a], b (default: lru)"), options);
    assertTrue(
        options.contains("--quick\t100% \\'quick\\'") || options.contains("--quick\t100% 'quick'"),
        options);
    String values = run("fish", "--no-config", "-c", complete.formatted("kv4j compare --policy l"));
    assertEquals(
        List.of("lru", "lfu").stream().sorted().toList(),
        values.lines().map(line -> line.split("\t")[0]).sorted().toList());
  }
}
