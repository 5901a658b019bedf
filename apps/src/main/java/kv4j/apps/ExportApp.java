package kv4j.apps;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.report.Format;
import kv4j.model.family.ModelExport;
import kv4j.model.format.WholeFile;
import kv4j.model.tokenizer.export.TokenizerExport;
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
  public List<String> examples() {
    return List.of(
        "export --model-preset demo-32 --gguf demo.gguf",
        "export --model folder-from-hugging-face --gguf model.gguf");
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
    WholeFile.at(file).apartFrom(ModelChoice.inputs(line));
    if (Files.exists(file) && !line.hasOption(FORCE)) {
      throw new IllegalArgumentException(file + " exists already; --force replaces it");
    }
    Devices.select(Devices.Choice.CPU);
    LoadedModel loaded = ModelChoice.load(line, seed, terminal);
    long size = ModelExport.gguf(loaded.model(), vocabulary(loaded, line), file);
    terminal.out().printf("wrote %s, %s%n", file, Format.bytes(size));
  }

  /** GGUF's metadata of the tokenizer, which a Hugging Face folder says in terms of its own. */
  private static Map<String, Object> vocabulary(LoadedModel loaded, CommandLine line)
      throws IOException {
    if (!loaded.vocabulary().isEmpty()) {
      return loaded.vocabulary();
    }
    Path model = Path.of(line.getOptionValue(ModelChoice.MODEL.name()));
    Path folder = Files.isDirectory(model) ? model : model.toAbsolutePath().getParent();
    return TokenizerExport.metadata(folder, loaded.model().config().vocabulary());
  }
}
