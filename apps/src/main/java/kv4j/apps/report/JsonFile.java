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
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import kv4j.inference.workload.WorkloadReport;

/** The file that a report is written to as JSON, whole or not at all. */
public final class JsonFile {
  private final Path file;

  /**
   * @throws IllegalArgumentException if the file cannot be written
   */
  public JsonFile(Path file) {
    this.file = file;
    Path folder = folder();
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException("cannot write " + file + ": there is no folder " + folder);
    }
    if (Files.isDirectory(file)) {
      throw new IllegalArgumentException("cannot write " + file + ": it is a folder");
    }
    if (!Files.isWritable(folder) || (Files.exists(file) && !Files.isWritable(file))) {
      throw new IllegalArgumentException("cannot write " + file + ": permission denied");
    }
  }

  /** Writes a workload's report, replacing what was in the file. */
  public void write(RunInfo info, WorkloadReport report) throws IOException {
    write(new Document(info, report));
  }

  /**
   * Writes something, replacing what was in the file: all of it, field by field, in full precision;
   * what is not known is {@code null}.
   *
   * @param document records, maps, lists and simple values
   */
  public void write(Object document) throws IOException {
    Path partial = Files.createTempFile(folder(), file.getFileName().toString(), ".partial");
    try {
      Files.writeString(partial, json(document));
      Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  private Path folder() {
    return file.toAbsolutePath().getParent();
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
