package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes that leave blocks to each other, in stores of kv4j's own. */
@Timeout(300)
class StoreProcessTest {
  private static final String PROMPT =
      "Once upon a time there was a prompt of more than a hundred characters, each of which is a"
          + " token of the model tiny.";

  /** The first read loads classes, which may take longer than requests wait. */
  private static final String PATIENT = " --store-deadline 2m";

  @TempDir private Path folder;

  private String output() throws IOException {
    return Files.readString(folder.resolve("out"));
  }

  /** What libraries and kv4j complain of. */
  private List<String> complaints() throws IOException {
    byte[] err = Files.readAllBytes(folder.resolve("err")); // the model's text may be no UTF-8
    return new String(err, StandardCharsets.ISO_8859_1)
        .lines()
        .filter(line -> line.matches("(?i).*(\\bwarn|error|exception|kv4j:|^\\tat ).*"))
        .filter(line -> !line.matches("WARNING: .*(Unsafe|terminally|maintainers).*"))
        .toList();
  }

  private static List<String> command(String... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--add-exports=java.base/jdk.internal.module=ALL-UNNAMED"); // as the manifest has
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
    command.addAll(List.of(System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(args));
    return command;
  }

  private String succeed(String... args) throws IOException, InterruptedException {
    int status =
        new ProcessBuilder(command(args))
            .redirectOutput(folder.resolve("out").toFile())
            .redirectError(folder.resolve("err").toFile())
            .start()
            .waitFor();
    assertEquals(0, status, complaints().toString());
    assertEquals(List.of(), complaints());
    return output();
  }

  private JsonNode generate(String store) throws IOException, InterruptedException {
    String line =
        "generate --model-preset tiny --threads 1 --new-tokens 20 --json -" + PATIENT + " --store";
    List<String> args = new ArrayList<>(List.of(line.split(" ")));
    args.addAll(List.of(store, "--prompt", PROMPT));
    return new ObjectMapper().readTree(succeed(args.toArray(String[]::new)));
  }

  @Test
  void whatOneProcessComputedOthersFindHereAndElsewhere() throws Exception {
    String here = "disk:" + folder.resolve("here");
    String there = "disk:" + folder.resolve("there");
    String file = folder.resolve("prefix.kvc").toString();
    JsonNode first = generate(here);
    assertEquals(0, first.get("cachedTokens").intValue());
    JsonNode second = generate(here);
    int whole = (PROMPT.length() + 1 - 1) / 16 * 16; // of the prompt and a begin, but for the last
    assertEquals(whole, second.get("storeTokens").intValue());
    assertEquals(first.get("text"), second.get("text"));

    String blocks = (PROMPT.length() + 1 + 20 - 1) / 16 + " blocks";
    assertTrue(succeed("cache", "list", here).contains(here + ": " + blocks + ", "), output());
    assertTrue(succeed("cache", "verify", here).contains(": " + blocks + ", "), output());
    assertTrue(succeed("cache", "save", here, file).startsWith("saved " + blocks), output());
    assertTrue(succeed("cache", "load", file, there).startsWith("loaded " + blocks), output());
    JsonNode third = generate(there);
    assertEquals(whole, third.get("storeTokens").intValue());
    assertEquals(first.get("text"), third.get("text"));
    String pruned = succeed("cache", "prune", here, "--to-bytes", "1");
    assertTrue(pruned.contains("removed " + blocks), pruned);
    assertTrue(succeed("cache", "list", here).contains(": 0 blocks"), output());
  }

  /** Starts a server, asks it once, and has it end by a signal. */
  private JsonNode serveOnce(String store) throws IOException, InterruptedException {
    String line = "serve --model-preset tiny --threads 1 --port 0" + PATIENT + " --store " + store;
    Process server = new ProcessBuilder(command(line.split(" "))).start();
    try (BufferedReader err = server.errorReader()) {
      String said = err.readLine();
      while (!said.contains(" answers at ")) {
        said = err.readLine();
      }
      String url = said.replaceFirst(".* answers at ([^;]*);.*", "$1");
      String body = "{\"prompt\":\"" + PROMPT + "\",\"max_tokens\":20,\"temperature\":0}";
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(url + "/v1/completions"))
              .header("Content-Type", "application/json")
              .POST(BodyPublishers.ofString(body))
              .build();
      awaitOpen(url);
      String answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
      server.toHandle().destroy(); // of the process itself, it would close the streams as well
      assertEquals("stopping", err.lines().reduce((first, last) -> last).orElse(""));
      assertEquals(0, server.waitFor());
      return new ObjectMapper().readTree(answer);
    } finally {
      server.destroyForcibly();
    }
  }

  /** The server answers before its store is open, but not with what is in it. */
  private static void awaitOpen(String url) throws IOException, InterruptedException {
    HttpRequest stats = HttpRequest.newBuilder(URI.create(url + "/cache/stats")).build();
    HttpClient client = HttpClient.newHttpClient();
    while (!client.send(stats, BodyHandlers.ofString()).body().contains("\"state\":\"open\"")) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aServerThatIsToldToEndLeavesItsBlocksToTheNext() throws Exception {
    String store = "disk:" + folder.resolve("served");
    JsonNode first = serveOnce(store);
    assertEquals(0, first.at("/kv4j/cached_tokens").intValue());
    JsonNode second = serveOnce(store);
    assertEquals(PROMPT.length() / 16 * 16, second.at("/kv4j/store_tokens").intValue());
    assertEquals(first.at("/choices/0/text"), second.at("/choices/0/text"));
  }
}
