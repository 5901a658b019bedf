package kv4j.apps.report;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import kv4j.apps.cli.Terminal;
import kv4j.apps.workload.WorkloadReport;

/** Where a report is written to as JSON: a file, whole or not at all, or standard output. */
public final class JsonFile {
  private static final String STANDARD_OUTPUT = "-";

  private final Terminal terminal;
  private final Optional<ReportFile> file; // empty: standard output

  private JsonFile(Terminal terminal, Optional<ReportFile> file) {
    this.terminal = terminal;
    this.file = file;
  }

  /**
   * @param name of the file, or {@code -}
   * @param inputs what the program reads
   * @throws IllegalArgumentException if the file cannot be written, or is among the inputs
   */
  public static JsonFile of(String name, Collection<Path> inputs, Terminal terminal) {
    return new JsonFile(
        terminal,
        name.equals(STANDARD_OUTPUT)
            ? Optional.empty()
            : Optional.of(new ReportFile(Path.of(name), inputs, terminal)));
  }

  /** The file; empty for standard output. */
  public Optional<Path> path() {
    return file.map(ReportFile::path);
  }

  /** A terminal for what people read, as standard output may be taken. */
  public static Terminal forPeople(Optional<JsonFile> json, Terminal terminal) {
    boolean taken = json.isPresent() && json.get().file.isEmpty();
    return taken ? terminal.withResultsOnErr() : terminal;
  }

  /** A workload's report as one document. */
  public static Object document(RunInfo info, WorkloadReport report) {
    return new Document(info, report);
  }

  /**
   * Writes something, replacing what was in the file: all of it, field by field, in full precision;
   * what is not known is {@code null}.
   *
   * @param document records, maps, lists and simple values
   */
  public void write(Object document) throws IOException {
    String json = json(document);
    if (file.isPresent()) {
      file.get().write(json);
    } else {
      terminal.write(json);
    }
  }

  private static String json(Object document) throws IOException {
    SimpleModule module = new SimpleModule().addSerializer(double.class, new NullForNaN());
    return new ObjectMapper()
            .registerModules(new Jdk8Module(), module)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .writeValueAsString(document)
        + "\n";
  }

  private record Document(@JsonUnwrapped RunInfo info, @JsonUnwrapped WorkloadReport report) {}

  private static final class NullForNaN extends StdSerializer<Double> {
    private static final long serialVersionUID = 1;

    NullForNaN() {
      super(Double.class);
    }

    @Override
    public void serialize(Double value, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      if (Double.isFinite(value)) {
        out.writeNumber(value);
      } else {
        out.writeNull();
      }
    }
  }
}
