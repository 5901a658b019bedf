package kv4j.apps;

import static kv4j.apps.cli.Dispatcher.flag;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import kv4j.apps.cli.Browser;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.report.JsonFile;
import kv4j.apps.report.ReportFile;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** The files that a report goes to besides the terminal. */
final class ReportFiles {
  private static final ValueOption<String> JSON =
      ValueOption.optional(
          "json", "FILE", "write all figures to this file too; - is standard output", Values::text);
  private static final ValueOption<Path> HTML =
      ValueOption.optional(
          "html", "FILE", "write a page with tables and charts to this file too", Values::path);
  private static final ValueOption<Path> CSV =
      ValueOption.optional(
          "csv", "FILE", "write a row for each thing measured to this file too", Values::path);
  private static final String OPEN = "open";

  private final Optional<JsonFile> json;
  private final Optional<ReportFile> html;
  private final Optional<ReportFile> csv;
  private final Optional<Browser> browser;

  /**
   * Reads the options.
   *
   * @throws IllegalArgumentException with one sentence if a file cannot be written, is read or is
   *     named twice, or no page can be opened
   */
  ReportFiles(CommandLine line, Terminal terminal) {
    json = json(line, terminal);
    List<Path> inputs = inputs(line);
    html = HTML.find(line).map(file -> new ReportFile(file, inputs, terminal));
    csv = CSV.find(line).map(file -> new ReportFile(file, inputs, terminal));
    checkApart();
    if (line.hasOption(OPEN) && html.isEmpty()) {
      throw new IllegalArgumentException("--open needs --html FILE, which is what it opens");
    }
    browser = line.hasOption(OPEN) ? Optional.of(Browser.find(System.getenv())) : Optional.empty();
  }

  /** Adds all of them. */
  static void addOptions(Options options) {
    options
        .addOption(jsonOption())
        .addOption(HTML.option())
        .addOption(CSV.option())
        .addOption(flag(OPEN, "open the page of --html in the browser"));
  }

  /** {@code --json}, which other programs have too. */
  static Option jsonOption() {
    return JSON.option();
  }

  /**
   * The file that {@code --json} names, if it is given.
   *
   * @param operands files that are read besides those that options name
   * @throws IllegalArgumentException if it cannot be written, or is one of those
   */
  static Optional<JsonFile> json(CommandLine line, Terminal terminal, Path... operands) {
    List<Path> inputs = inputs(line, operands);
    return JSON.find(line).map(name -> JsonFile.of(name, inputs, terminal));
  }

  private static List<Path> inputs(CommandLine line, Path... operands) {
    List<Path> inputs = new ArrayList<>(List.of(operands));
    inputs.addAll(ModelChoice.inputs(line));
    WorkloadProgram.WORKLOAD.find(line).ifPresent(inputs::add);
    return inputs;
  }

  private void checkApart() {
    Set<Path> seen = new HashSet<>();
    for (Map.Entry<String, Optional<Path>> each :
        List.of(
            Map.entry(JSON.name(), json.flatMap(JsonFile::path)),
            Map.entry(HTML.name(), html.map(ReportFile::path)),
            Map.entry(CSV.name(), csv.map(ReportFile::path)))) {
      if (each.getValue().isPresent() && !seen.add(each.getValue().get())) {
        throw new IllegalArgumentException(
            "--%s names %s, which another option names too"
                .formatted(each.getKey(), each.getValue().get()));
      }
    }
  }

  /** A terminal for what people read, as standard output may be taken. */
  Terminal forPeople(Terminal terminal) {
    return JsonFile.forPeople(json, terminal);
  }

  /**
   * Writes those that are asked for.
   *
   * @param document of JSON
   */
  void write(Object document, Supplier<String> page, Supplier<String> rows) throws IOException {
    if (json.isPresent()) {
      json.get().write(document);
    }
    if (csv.isPresent()) {
      csv.get().write(rows.get());
    }
    if (html.isPresent()) {
      html.get().write(page.get());
    }
    if (browser.isPresent()) {
      browser.get().open(html.orElseThrow().path());
    }
  }
}
