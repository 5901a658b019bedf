package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code kv4j serve} as a process of its own. */
@Timeout(180)
class ServeAppTest {
  private static final Pattern CURL = Pattern.compile("curl (\\S+) .*-d '(.*)'");

  @TempDir private Path folder;
  private final HttpClient client = HttpClient.newHttpClient();

  private static Process start(String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.addAll(List.of(Main.class.getName(), "serve", "--model-preset", "tiny", "--port", "0"));
    command.addAll(List.of(args));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  /** What the process says up to and with a line that has this in it. */
  private static List<String> read(BufferedReader lines, String end) throws IOException {
    List<String> read = new ArrayList<>();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      read.add(line);
      if (line.contains(end)) {
        return read;
      }
    }
    throw new IOException("it ended with " + read);
  }

  private static HttpRequest post(String url, String body) {
    return HttpRequest.newBuilder(URI.create(url))
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(body))
        .build();
  }

  /** Asked to end while it answers, it ends the answer first, and well. */
  @Test
  void whatItSaysToTryWorksAndATermSignalEndsItWell() throws Exception {
    Assumptions.assumeTrue(Files.exists(Path.of("/bin/sh")), "there are no signals");
    Path warm = folder.resolve("warm.json");
    Files.writeString(
        warm,
        "[{\"name\":\"s\",\"messages\":[{\"role\":\"system\",\"content\":\""
            + "You are a helpful assistant of few words."
            + "\"}]}]");
    Path record = folder.resolve("record.jsonl");
    Process process = start("--warm", warm.toString(), "--record", record.toString());
    try (BufferedReader lines = process.inputReader()) {
      List<String> said = read(lines, "curl");
      assertTrue(said.contains("pinned s: 48 tokens"), said.toString());
      assertTrue(said.get(said.size() - 2).startsWith("tiny answers at http://127.0.0.1:"));
      Matcher curl = CURL.matcher(said.get(said.size() - 1));
      assertTrue(curl.find(), said.toString());
      HttpResponse<String> tried =
          client.send(post(curl.group(1), curl.group(2)), BodyHandlers.ofString());
      assertEquals(200, tried.statusCode(), tried.body());

      String completions = curl.group(1).replace("/chat/", "/");
      CompletableFuture<HttpResponse<String>> running =
          client.sendAsync(
              post(
                  completions,
                  "{\"prompt\":\"x\",\"max_tokens\":800,\"logit_bias\":{\"257\":-100}}"),
              BodyHandlers.ofString());
      String health = completions.replace("/v1/completions", "/health");
      HttpRequest ask = HttpRequest.newBuilder(URI.create(health)).build();
      while (!running.isDone()
          && !client.send(ask, BodyHandlers.ofString()).body().contains("\"running\":1")) {
        Thread.onSpinWait();
      }
      process.toHandle().destroy(); // SIGTERM, and what it says can still be read
      assertEquals(List.of("stopping"), lines.lines().toList());
      assertEquals(0, process.waitFor());
      assertEquals(200, running.get().statusCode());
      int tokens =
          new ObjectMapper()
              .readTree(running.get().body())
              .at("/usage/completion_tokens")
              .intValue();
      assertEquals(800, tokens);
      List<String> recorded = Files.readAllLines(record);
      assertTrue(recorded.get(0).startsWith("{\"event\":\"snapshot\",\"data\":{"), recorded.get(0));
      assertEquals(2, recorded.stream().filter(line -> line.contains(":\"finished\"")).count());
    } finally {
      process.destroyForcibly();
    }
  }

  /** All addresses are one that other machines know it by, if it has such a one. */
  @Test
  void otherMachinesAreLetInWithAKey() throws Exception {
    Process process = start("--host", "0.0.0.0", "--api-key", "secret");
    try (BufferedReader lines = process.inputReader()) {
      List<String> said = read(lines, "curl");
      Matcher address = Pattern.compile("http://0\\.0\\.0\\.0:(\\d+)").matcher(said.toString());
      assertTrue(address.find(), said.toString());
      assertTrue(said.get(said.size() - 1).contains("Authorization: Bearer"), said.toString());
      URI models = URI.create("http://%s:%s/v1/models".formatted(ownAddress(), address.group(1)));
      HttpRequest.Builder request = HttpRequest.newBuilder(models);
      assertEquals(401, client.send(request.build(), BodyHandlers.ofString()).statusCode());
      request.header("Authorization", "Bearer secret");
      assertEquals(200, client.send(request.build(), BodyHandlers.ofString()).statusCode());
    } finally {
      process.destroyForcibly();
    }
  }

  private static String ownAddress() throws IOException {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
        .map(InetAddress::getHostAddress)
        .findFirst()
        .orElse("127.0.0.1");
  }

  @Test
  void otherMachinesAreNotLetInWithoutAKey() throws Exception {
    Process process = start("--host", "0.0.0.0");
    try (BufferedReader lines = process.inputReader()) {
      assertEquals(
          List.of(
              "kv4j: --host 0.0.0.0 lets other machines in, which needs --api-key or --api-keys"),
          lines.lines().toList());
      assertEquals(2, process.waitFor());
    } finally {
      process.destroyForcibly();
    }
  }

  private static void refused(String why, String... args) {
    List<String> line = new ArrayList<>(List.of("serve", "--model-preset", "tiny"));
    line.addAll(List.of(args));
    Programs.Outcome outcome = Programs.run("", line.toArray(String[]::new));
    assertEquals(2, outcome.status(), outcome.err());
    assertTrue(outcome.err().contains(why), outcome.err());
    assertEquals(1, outcome.err().strip().lines().count(), outcome.err());
  }

  @Test
  void optionsThatDoNotDoAreRefusedBeforeAnythingRuns() throws IOException {
    refused("--host is no address", "--host", "no such host");
    refused("--port must be at most 65535", "--port", "70000");
    refused("--max-running must be at least 1", "--max-running", "0");
    refused("--api-keys cannot read", "--api-keys", folder.resolve("none").toString());
    refused("--deadline must be a positive duration", "--deadline", "soon");
    refused("temperature", "--temperature", "1");
  }

  @Test
  void whatGoesWrongAtTheStartIsOneSentence() throws IOException {
    Path warm = folder.resolve("warm.json");
    refused("--warm cannot read", "--port", "0", "--warm", warm.toString());
    Files.writeString(warm, "[{\"name\":\"x\"}]");
    refused("either prompt or messages", "--port", "0", "--warm", warm.toString());
    Files.writeString(warm, "{\"name\":\"x\"}");
    refused("must be a JSON array", "--port", "0", "--warm", warm.toString());
    String nowhere = folder.resolve("none").resolve("file").toString();
    refused("--record cannot write " + nowhere, "--port", "0", "--record", nowhere);
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());
      refused("cannot listen on 127.0.0.1:" + port, "--port", port);
    }
  }

  /** The server's libraries take long to load, and nobody else needs them. */
  @Test
  void otherCommandsLoadNothingOfTheServer() throws Exception {
    Path log = folder.resolve("classes");
    for (String[] args :
        List.of(
            new String[] {"generate", "--model-preset", "tiny", "--prompt", "x"},
            new String[] {"serve", "--help"})) {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.add("-Xlog:class+load:file=" + log + "::filecount=0");
      command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
      command.addAll(List.of(System.getProperty("java.class.path"), Main.class.getName()));
      command.addAll(List.of(args));
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("out").toFile())
              .start();
      assertEquals(0, process.waitFor());
      List<String> loaded =
          Files.readAllLines(log).stream()
              .map(line -> line.replaceFirst("(?:\\[[^]]*])+ (\\S+) .*", "$1"))
              .toList();
      assertTrue(loaded.contains(ServeApp.class.getName()));
      assertEquals(
          List.of(),
          loaded.stream()
              .filter(
                  name ->
                      name.matches(
                          "(io\\.javalin|org\\.eclipse\\.jetty|io\\.micrometer|kotlin)\\..*"))
              .toList());
    }
  }
}
