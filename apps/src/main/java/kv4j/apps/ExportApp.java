package kv4j.apps;

import java.nio.file.Files;
import java.nio.file.Path;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.report.Format;
import kv4j.model.family.ModelExport;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** Writes a model as a file that other programs load too: {@code kv4j export}. */
public final class ExportApp implements Command {
  private static final String FORCE = "force";

  private static final ValueOption<Path> GGUF =
      ValueOption.optional("gguf", "FILE", "the file to write: GGUF, F32", Path::of);

  public static void main(String[] args) {
    Main.main(new ExportApp(), args);
  }

  @Override
  public String name() {
    return "export";
  }

  @Override
  public String description() {
    return "write a model as GGUF, which llama.cpp loads too";
  }

  @Override
  public Options options() {
    Options options =
        new Options()
            .addOption(GGUF.option())
            .addOption(Dispatcher.flag(FORCE, "replace the file if there is one"));
    ModelChoice.addOptions(options);
    return options.addOption(ModelChoice.SEED.option());
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    Path file =
        GGUF.find(line).orElseThrow(() -> new IllegalArgumentException("export needs --gguf FILE"));
    long seed = ModelChoice.seed(line);
    ModelChoice.check(line);
    if (ModelChoice.isProvider(line)) {
      throw new IllegalArgumentException(
          "export writes model files and demo models; a provider's graph may be any");
    }
    check(file, line.hasOption(FORCE));
    Devices.select(Devices.Choice.CPU);
    LoadedModel loaded = ModelChoice.load(line, seed, terminal);
    if (loaded.vocabulary().isEmpty()) {
      throw new IllegalArgumentException(
          "GGUF cannot be written of "
              + loaded.model().name()
              + ": its vocabulary is of a kind that only its own tokenizer.json describes");
    }
    ModelExport.gguf(loaded.model(), loaded.vocabulary(), file);
    terminal.out().printf("wrote %s, %s%n", file, Format.bytes(Files.size(file)));
  }

  private static void check(Path file, boolean force) {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file)) {
      throw new IllegalArgumentException("cannot write " + file + ": it is a folder");
    }
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException("cannot write " + file + ": there is no folder " + folder);
    }
    if (Files.exists(file) && !force) {
      throw new IllegalArgumentException(file + " exists already; --force replaces it");
    }
  }
}
