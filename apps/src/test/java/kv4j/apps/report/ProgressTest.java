package kv4j.apps.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import kv4j.apps.cli.Terminal;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static String shown(boolean terminal, int steps) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(OutputStream.nullOutputStream());
    try (Progress progress =
        Progress.of("measuring", steps, new Terminal(out, new PrintStream(err), false, terminal))) {
      for (int i = 1; i <= steps; i++) {
        progress.step("part " + i);
      }
    }
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aTerminalShowsABar() {
    String shown = shown(true, 2);
    assertTrue(shown.contains("measuring"), shown);
  }

  @Test
  void elsewhereThereIsALineForEachTenth() {
    String shown = shown(false, 20);
    assertEquals(10, shown.lines().count(), shown);
    assertEquals("measuring: 2 of 20 (part 2)", shown.lines().findFirst().orElseThrow());
  }
}
