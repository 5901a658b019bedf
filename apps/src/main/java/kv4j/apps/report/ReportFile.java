package kv4j.apps.report;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import kv4j.apps.cli.Terminal;
import kv4j.model.format.WholeFile;

/** A file that a report is written to, whole or not at all. */
public final class ReportFile {
  private final WholeFile file;
  private final Terminal terminal;

  /**
   * @param inputs what the program reads
   * @throws IllegalArgumentException if the file cannot be written, or is among the inputs
   */
  public ReportFile(Path file, Collection<Path> inputs, Terminal terminal) {
    this.file = WholeFile.at(file).apartFrom(inputs);
    this.terminal = terminal;
  }

  /** Where it is. */
  public Path path() {
    return file.path().toAbsolutePath().normalize();
  }

  /** Replaces what was in the file, and says so. */
  public void write(String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    long size = file.write(channel -> Channels.newOutputStream(channel).write(bytes));
    terminal.err().println("wrote " + file.path() + ", " + Format.bytes(size));
  }
}
