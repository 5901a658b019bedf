package kv4j.apps;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Terminal;
import kv4j.apps.model.ContentsPrinter;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.model.ModelContents;
import kv4j.apps.report.JsonFile;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** Says what is in a model file, without loading it: {@code kv4j inspect}. */
public final class InspectApp implements Command {
  public static void main(String[] args) {
    Main.main(new InspectApp(), args);
  }

  @Override
  public String name() {
    return "inspect";
  }

  @Override
  public String description() {
    return "say what is in a model file, tokenizer and template included";
  }

  @Override
  public Optional<String> operand() {
    return Optional.of("FILE");
  }

  @Override
  public List<String> examples() {
    return List.of(
        "inspect model.gguf",
        "inspect folder-from-hugging-face --json contents.json",
        "inspect stories15M.bin --tokenizer tokenizer.bin");
  }

  @Override
  public Options options() {
    return new Options()
        .addOption(ModelChoice.TOKENIZER.option())
        .addOption(ReportFiles.jsonOption());
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    Path file = Path.of(line.getArgList().get(0));
    Optional<JsonFile> json = ReportFiles.json(line, terminal, file);
    ModelContents contents = ModelContents.read(file, ModelChoice.TOKENIZER.find(line));
    JsonFile.forPeople(json, terminal).write(ContentsPrinter.text(contents));
    if (json.isPresent()) {
      json.get().write(contents);
    }
  }
}
