package kv4j.apps;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code kv4j serve} on a port that was free, in a JVM of its own. */
final class ServerProcess implements AutoCloseable {
  private static final Pattern ADDRESS = Pattern.compile("http://(127\\.0\\.0\\.1:\\d+)");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient client = HttpClient.newHttpClient();
  private final Process process;
  private final String address;

  private ServerProcess(Process process) throws IOException {
    this.process = process;
    BufferedReader lines = process.inputReader();
    StringBuilder said = new StringBuilder();
    Matcher found = ADDRESS.matcher(said);
    while (!found.reset().find()) {
      String line = lines.readLine();
      if (line == null) {
        throw new IOException("the server ended with " + said);
      }
      said.append(line).append('\n');
    }
    address = found.group(1);
  }

  /** Starts so many at once, and waits until all of them answer; they compile little. */
  static List<ServerProcess> start(int count, String... options) throws IOException {
    return start(count, List.of("-XX:TieredStopAtLevel=1"), options);
  }

  /** The same with options of the JVM. */
  static List<ServerProcess> start(int count, List<String> jvm, String... options)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(jvm);
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
    command.addAll(List.of(System.getProperty("java.class.path"), Main.class.getName(), "serve"));
    command.addAll(List.of("--port", "0"));
    command.addAll(List.of(options));
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      processes.add(new ProcessBuilder(command).redirectErrorStream(true).start());
    }
    List<ServerProcess> servers = new ArrayList<>();
    for (Process process : processes) {
      servers.add(new ServerProcess(process));
    }
    return servers;
  }

  /** Host and port. */
  String address() {
    return address;
  }

  /** Asks for JSON, with a body or, if that is empty, without one. */
  JsonNode ask(String method, String path, String body) throws IOException, InterruptedException {
    return ask(client, "http://" + address + path, method, body).json();
  }

  record Answer(HttpResponse<String> response) {
    JsonNode json() throws IOException {
      if (response.statusCode() != 200) {
        throw new IOException(response.statusCode() + ": " + response.body());
      }
      return JSON.readTree(response.body());
    }
  }

  static Answer ask(HttpClient client, String url, String method, String body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url))
            .header("Content-Type", "application/json")
            .method(method, BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return new Answer(client.send(request.build(), BodyHandlers.ofString()));
  }

  /** Ends it without a chance to say so. */
  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}
