package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * OpenAI's own client for Node, which takes the server for OpenAI's. {@code .ci/run} installs it,
 * as CONTRIBUTING.md says; where it is not, this is skipped.
 */
@Timeout(300)
class OpenAiNodeTest {
  private static final Path SOURCES = Path.of("src", "test", "node");

  /** Scripts find packages in their own folder only. */
  private static final Path INSTALLED = Path.of("target", "node");

  private static final Pattern SNIPPET = Pattern.compile("(?s)\n```javascript\n(.*?)\n```\n");

  @TempDir private Path folder;
  private TestServer server;

  /** Before each, as tests that are skipped before all are not counted as skipped. */
  @BeforeEach
  void start() throws Exception {
    Path client = INSTALLED.resolve(Path.of("node_modules", "openai", "package.json"));
    assumeTrue(Files.exists(client), "there is no " + client + "; .ci/run installs it");
    String version = version();
    int major = Integer.parseInt(version.replaceFirst("^v(\\d+)(?s:.*)$", "$1"));
    assumeTrue(major >= 18, "node is " + version + ", but OpenAI's client takes 18 or newer");
    server = TestServer.withKeys(Optional.of("key"), Optional.empty(), null);
  }

  @AfterEach
  void stop() {
    if (server != null) {
      server.close();
    }
  }

  private String version() throws Exception {
    try {
      return node("--version").strip();
    } catch (IOException e) {
      return Assumptions.abort("there is no node: " + e.getMessage());
    }
  }

  /** What Node prints; if it fails, so does the test. */
  private String node(String... arguments) throws Exception {
    Path out = folder.resolve("out.txt");
    ProcessBuilder builder = new ProcessBuilder("node");
    builder.command().addAll(List.of(arguments));
    builder
        .environment()
        .keySet()
        .removeIf(name -> name.startsWith("OPENAI_") || name.startsWith("NODE_"));
    Process process = builder.redirectErrorStream(true).redirectOutput(out.toFile()).start();
    try {
      boolean ended = process.waitFor(2, TimeUnit.MINUTES);
      String output = Files.readString(out);
      assertTrue(ended, () -> "node did not end:\n" + output);
      assertEquals(0, process.exitValue(), output);
      return output;
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void theClientIsContent() throws Exception {
    Path script = INSTALLED.resolve("openai-client.mjs");
    Files.copy(SOURCES.resolve("openai-client.mjs"), script, StandardCopyOption.REPLACE_EXISTING);
    String output = node(script.toString(), server.server.url(), "key");
    System.out.print(output);
    assertEquals(11, output.lines().filter(line -> line.startsWith("ok: ")).count(), output);
  }

  @Test
  void asTheDocumentationShowsIt() throws Exception {
    String page = Files.readString(Path.of("..", "docs", "serving.md")).replace("\r\n", "\n");
    Matcher snippet = SNIPPET.matcher(page);
    assertTrue(snippet.find());
    String code =
        snippet
            .group(1)
            .replace("http://127.0.0.1:8080", server.server.url())
            .replace("\"none\"", "\"key\"");
    Path script = Files.writeString(INSTALLED.resolve("snippet.mjs"), code);
    String output = node(script.toString());
    assertTrue(output.matches("(?s).+\n\\d+ were cached\n"), output);
  }
}
