package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kv4j.apps.workload.PromptSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A chat as a person has it, at a pseudo-terminal that {@code script} makes. */
class ChatTerminalTest {
  private static final String INTERRUPT = "\u0003";
  private static final String UP = "\u001bOA"; // as a terminal whose keypad applications use
  private static final int SECONDS = 180; // far more than it takes on a busy machine

  /** By what the line editor ends. */
  private static final String READ = "(?s).*?\u001b\\[\\?2004l";

  private static final String ENTER = "\r";

  @TempDir private Path folder;
  private final StringBuilder seen = new StringBuilder();
  private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor();
  private Process process;

  private void start(String term, String options) throws IOException {
    Assumptions.assumeTrue(Files.exists(Path.of("/usr/bin/script")), "there is no script");
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String command =
        "exec '%s' --add-exports=java.base/jdk.internal.module=ALL-UNNAMED -cp '%s' %s chat %s"
            .formatted(java, System.getProperty("java.class.path"), Main.class.getName(), options);
    Path launcher = Files.writeString(folder.resolve("run.sh"), command);
    // "exec": a shell that stayed in between would die of Ctrl-C, and its status be taken for ours.
    ProcessBuilder builder =
        new ProcessBuilder("/usr/bin/script", "-qefc", "exec sh '" + launcher + "'", "/dev/null");
    builder.environment().put("TERM", term);
    builder.environment().put("SHELL", "/bin/sh"); // which keeps itself in between if it can
    process = builder.redirectErrorStream(true).start();
    watch.schedule(this::end, SECONDS, TimeUnit.SECONDS);
  }

  /** Also what hangs: then the test reads the end, and fails with what it saw. */
  private void end() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  @AfterEach
  void stop() {
    watch.shutdownNow();
    if (process != null) {
      end();
    }
  }

  private void type(String keys) throws IOException {
    OutputStream out = process.getOutputStream();
    out.write(keys.getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  /** Waits until the screen has got a text, and forgets what came before its end. */
  private MatchResult await(String pattern) {
    InputStream in = process.getInputStream();
    byte[] buffer = new byte[4096];
    try {
      while (true) {
        Matcher matcher = Pattern.compile(pattern).matcher(seen);
        if (matcher.find()) {
          MatchResult result = matcher.toMatchResult();
          seen.delete(0, result.end());
          return result;
        }
        int count = in.read(buffer);
        assertTrue(count > 0, "the program ended before " + pattern + ", after: " + seen);
        seen.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void twoQuestionsAreThereToBeginWith() throws Exception {
    start("xterm", "");
    String first = PromptSet.shipped().questions().get(0).text();
    await("Ask, for example: " + Pattern.quote(first));
    await("> ");
    type("/exit" + ENTER);
    assertEquals(0, process.waitFor());
  }

  @Test
  void anAnswerCanBeStoppedAndTheChatGoesOn() throws Exception {
    Path history = folder.resolve("history");
    // A model whose answer would take far longer than a signal can.
    start("xterm", "--model-preset S --new-tokens 3900 --history '" + history + "'");
    await("> ");
    type("Hello" + ENTER);
    await("Hello[^\n]*\n" + READ + "[^\\x1b]");
    type(INTERRUPT); // amid the answer
    int tokens = Integer.parseInt(await("; (\\d+) new tokens,").group(1));
    assertTrue(tokens < 3900, tokens + " tokens");
    await("> ");
    type("half" + INTERRUPT); // drops the line
    await("> ");
    type("/he\t" + ENTER); // completed
    await("/help +list these commands");
    await("> ");
    type("/no \\" + ENTER);
    type("such" + ENTER);
    await("there is no command /no;");
    await("> ");
    type(UP.repeat(4) + ENTER); // over two lines and a command to the first message
    await("Hello[^\\n]*\\n" + READ);
    type(INTERRUPT);
    await("prompt \\d+ tokens, \\d\\d+ of them cached");
    await("> ");
    type("/exit" + ENTER);
    assertEquals(0, process.waitFor());
    List<String> kept = Files.readAllLines(history);
    assertTrue(kept.get(0).endsWith(":Hello"), kept.toString());
    assertFalse(kept.toString().contains("half"), kept.toString());
  }

  /**
   * Plain lines; and what the model writes, an untrained one all bytes that there are, moves no
   * cursor.
   */
  @Test
  void aTerminalThatCanDoNothingWillDo() throws Exception {
    start("dumb", "--threads 1 --model-preset tiny --new-tokens 200");
    await("> ");
    type("Hello" + ENTER);
    String answer = await("(?s).*prompt \\d+ tokens, 0 of them cached").group();
    assertFalse(answer.matches("(?s).*[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f].*"), answer);
    assertTrue(answer.contains("\u00e2\u0090"), answer); // a picture of one, in UTF-8
    await("> ");
    type("\u0004");
    assertEquals(0, process.waitFor());
  }
}
