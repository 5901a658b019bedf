package kv4j.apps.chat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Messages from a file or a pipe, in UTF-8. */
public final class PipedInput implements ChatInput {
  private final BufferedReader lines;

  public PipedInput(InputStream in) {
    lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
  }

  @Override
  public Optional<String> next() throws IOException {
    String typed = lines.readLine();
    while (typed != null && !Multiline.isComplete(typed)) {
      String more = lines.readLine();
      if (more == null) {
        break;
      }
      typed += "\n" + more;
    }
    return Optional.ofNullable(typed).map(Multiline::message);
  }

  /** Nobody is there to ask: an interrupt ends the program. */
  @Override
  public boolean asksToStop() {
    return false;
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
