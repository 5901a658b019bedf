package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The nginx configuration of the documentation, as it is but for addresses, in a real nginx. */
@Timeout(180)
class RouterTest {
  private static final Path FILES = Path.of("..", "docs", "router");
  private static final String CHAT =
      "{\"messages\": [{\"role\": \"user\", \"content\": \"%s\"}], \"max_tokens\": 2}";

  /** Of so many each server has some, but for one pair of ports in a million. */
  private static final int KEYS = 25;

  @TempDir private Path folder;
  private final HttpClient client = HttpClient.newHttpClient();
  private final List<AutoCloseable> open = new ArrayList<>();
  private Path nginx;

  @BeforeEach
  void findNginx() {
    Path module = Path.of("/usr/lib/nginx/modules/ngx_http_js_module.so");
    nginx = Path.of("/usr/sbin/nginx");
    Assumptions.assumeTrue(
        Files.exists(nginx) && Files.exists(module), "there is no nginx with its module for njs");
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
  }

  private List<ServerProcess> servers() throws IOException {
    List<ServerProcess> servers = ServerProcess.start(2, "--model-preset", "tiny");
    open.addAll(servers);
    return servers;
  }

  /** Starts nginx in front of two addresses. Returns the URL of its completions. */
  private String route(String first, String second) throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    String own = "http {\n  access_log off;\n";
    for (String kind : List.of("client_body", "proxy", "fastcgi", "uwsgi", "scgi")) {
      own += "  %s_temp_path %s;\n".formatted(kind, folder.resolve(kind));
    }
    String config =
        Files.readString(FILES.resolve("nginx.conf"))
            .replace("127.0.0.1:8081", first)
            .replace("127.0.0.1:8082", second)
            .replace("127.0.0.1:8080", "127.0.0.1:" + port)
            .replace("http {\n", own);
    Path file = Files.writeString(folder.resolve("nginx.conf"), config);
    Files.copy(FILES.resolve("prefix.js"), folder.resolve("prefix.js"));
    String globals =
        "daemon off; master_process off; error_log stderr; pid %s;"
            .formatted(folder.resolve("pid"));
    Process process =
        new ProcessBuilder(nginx.toString(), "-c", file.toString(), "-g", globals)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    open.add(0, () -> process.destroyForcibly().onExit().join());
    while (!isListening(port)) {
      assertTrue(process.isAlive(), Files.readString(folder.resolve("log")));
      Thread.onSpinWait();
    }
    return "http://127.0.0.1:" + port + "/v1/chat/completions";
  }

  private static boolean isListening(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  /** Which server answers, how many tokens it had cached. */
  private record Sent(String server, int cached) {}

  private Sent send(String url, String body, String... headers) throws Exception {
    ServerProcess.Answer answer = ServerProcess.ask(client, url, "POST", body, headers);
    int cached = answer.json().at("/usage/prompt_tokens_details/cached_tokens").intValue();
    String tried = answer.response().headers().firstValue("X-Served-By").orElseThrow();
    return new Sent(tried.replaceFirst(".*, ", ""), cached);
  }

  @Test
  void whatBeginsAlikeMeetsAndALostServersShareMoves() throws Exception {
    List<ServerProcess> servers = servers();
    String url = route(servers.get(0).address(), servers.get(1).address());
    Map<String, String> owners = new TreeMap<>();
    for (int i = 0; i < KEYS; i++) {
      String body = CHAT.formatted(("user " + i).repeat(20));
      Sent first = send(url, body);
      Sent again = send(url, body);
      assertEquals(first.server(), again.server());
      assertTrue(again.cached() >= 100 && again.cached() > first.cached(), first + ", " + again);
      owners.put(body, first.server());
    }
    Set<String> addresses = Set.of(servers.get(0).address(), servers.get(1).address());
    assertEquals(addresses, new HashSet<>(owners.values()));

    servers.get(1).close();
    for (Map.Entry<String, String> each : owners.entrySet()) {
      Sent sent = send(url, each.getKey());
      assertEquals(servers.get(0).address(), sent.server());
      boolean stayed = each.getValue().equals(sent.server());
      assertTrue(stayed ? sent.cached() >= 100 : sent.cached() < 100, each + ": " + sent);
    }
  }

  @Test
  void clientsMaySayWhatBelongsTogether() throws Exception {
    List<ServerProcess> servers = servers();
    String url = route(servers.get(0).address(), servers.get(1).address());
    for (String[] headers : List.of(new String[] {"X-Cache-Key", "k"}, new String[0])) {
      Set<String> used = new HashSet<>();
      for (int i = 0; i < KEYS; i++) {
        String body = CHAT.formatted(i + " is a text of its own");
        String keyed = body.replaceFirst("}$", ", \"prompt_cache_key\": \"k\"}");
        used.add(send(url, headers.length > 0 ? body : keyed, headers).server());
      }
      assertEquals(1, used.size());
    }
    Set<String> tenants = new HashSet<>();
    for (int i = 0; i < KEYS; i++) {
      String[] headers = {"X-Cache-Key", "k", "Authorization", "Bearer " + i};
      tenants.add(send(url, CHAT.formatted("same"), headers).server());
    }
    assertEquals(2, tenants.size());
  }

  /** Nothing of the answer had come yet, so that the other server can give it. */
  @Test
  void aServerThatDiesAmidARequestIsStoodInFor() throws Exception {
    List<ServerProcess> servers = servers();
    String url = route(servers.get(0).address(), servers.get(1).address());
    String body = CHAT.formatted("x").replaceFirst("2}$", "1500, \"logit_bias\": {\"65\": 100}}");
    CompletableFuture<Sent> answer =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return send(url, body);
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
    int busy = 0;
    while (running(servers.get(busy)) == 0) {
      busy = 1 - busy;
    }
    servers.get(busy).close();
    assertEquals(servers.get(1 - busy).address(), answer.get().server());
  }

  private static int running(ServerProcess server) throws Exception {
    return server.ask("GET", "/health", "").get("running").intValue();
  }

  /** The server's client is nginx, which leaves when its own client does. */
  @Test
  void aClientThatLeavesIsCancelled() throws Exception {
    List<ServerProcess> servers = servers();
    String url = route(servers.get(0).address(), servers.get(0).address());
    String body =
        "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"max_tokens\": 1500,"
            + " \"stream\": true, \"logit_bias\": {\"65\": 100}}";
    try (BufferedReader events = stream(url, body)) {
      assertTrue(events.readLine().startsWith("data: {"));
    }
    HttpRequest metrics =
        HttpRequest.newBuilder(URI.create("http://" + servers.get(0).address() + "/metrics"))
            .build();
    Pattern ends = Pattern.compile("kv4j_requests_total\\{outcome=\"(\\w+)\"} [1-9]");
    Matcher ended = ends.matcher("");
    while (!ended.find()) {
      ended.reset(client.send(metrics, BodyHandlers.ofString()).body());
    }
    assertEquals("cancelled", ended.group(1));
  }

  private BufferedReader stream(String url, String body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body))
            .build();
    HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());
    return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
  }

  /** A server that says no more until its first words have arrived; its answer has no length. */
  @Test
  void eventsPassAtOnce() throws Exception {
    CountDownLatch arrived = new CountDownLatch(1);
    try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      CompletableFuture<Void> served = CompletableFuture.runAsync(() -> answer(listening, arrived));
      String address = "127.0.0.1:" + listening.getLocalPort();
      try (BufferedReader events = stream(route(address, address), "{}")) {
        assertEquals("data: 1", events.readLine());
        arrived.countDown();
        assertEquals(List.of("", "data: 2"), List.of(events.readLine(), events.readLine()));
      }
      served.join();
    }
  }

  private static void answer(ServerSocket listening, CountDownLatch arrived) {
    String head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    try (Socket socket = listening.accept()) {
      OutputStream out = socket.getOutputStream();
      out.write((head + "data: 1\n\n").getBytes(StandardCharsets.UTF_8));
      arrived.await();
      out.write("data: 2\n\n".getBytes(StandardCharsets.UTF_8));
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
