package kv4j.apps;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.report.Format;
import kv4j.model.family.ModelExport;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;
import kv4j.model.format.WeightType;
import kv4j.model.format.WholeFile;
import kv4j.model.tokenizer.export.TokenizerExport;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** Writes a model as a file that other programs load too: {@code kv4j export}. */
public final class ExportApp implements Command {
  private static final String FORCE = "force";

  private static final ValueOption<Path> GGUF =
      ValueOption.optional("gguf", "FILE", "the file to write", Path::of);
  private static final ValueOption<WeightType> TYPE =
      ValueOption.oneOf(
          "type", "TYPE", "what matrices are stored as; all else is F32", "f32", WeightType.class);

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
        "export --model folder-from-hugging-face --gguf model.gguf",
        "export --model model.gguf --type q8_0 --gguf model-q8_0.gguf");
  }

  @Override
  public Options options() {
    Options options =
        new Options()
            .addOption(GGUF.option())
            .addOption(TYPE.option())
            .addOption(Dispatcher.flag(FORCE, "replace the file if there is one"));
    ModelChoice.addOptions(options);
    return options.addOption(ModelChoice.SEED.option());
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    Path file =
        GGUF.find(line).orElseThrow(() -> new IllegalArgumentException("export needs --gguf FILE"));
    WeightType type = TYPE.in(line);
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
    long size = ModelExport.gguf(loaded.model(), vocabulary(loaded, line), type, file);
    terminal.out().printf("wrote %s, %s%n", file, Format.bytes(size));
    if (type != WeightType.F32) {
      terminal.out().println(stored(file, type));
    }
  }

  /** How many tensors the file has of which type, and why, as it may not be the one asked for. */
  private static String stored(Path file, WeightType type) {
    Map<String, Integer> counts = new TreeMap<>();
    try (TensorSource source = ModelFiles.open(file)) {
      source.tensorNames().forEach(name -> counts.merge(source.dtype(name), 1, Integer::sum));
    }
    String text =
        counts.entrySet().stream()
            .map(count -> count.getValue() + " " + count.getKey())
            .collect(Collectors.joining(", ", "tensors: ", ""));
    return type.isQuantized() && counts.containsKey(WeightType.F16.name())
        ? text + " (F16 where rows are no multiple of a block's 32 elements)"
        : text;
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
