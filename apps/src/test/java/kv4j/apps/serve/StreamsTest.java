package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kv4j.apps.serve.TestServer.Reply;
import kv4j.apps.serve.http.Keys;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that leave, come in numbers or do not speak HTTP well, on real sockets. */
@Timeout(120)
class StreamsTest {
  private static final String COMPLETION = "/v1/completions";

  /** Would take long: nobody reads to its end. */
  private static final String ENDLESS =
      "{\"prompt\":\"Once\",\"max_tokens\":4000,\"stream\":true,\"logit_bias\":{\"257\":-100}}";

  /** The same for those who wait for the whole of it. */
  private static final String WHOLE = ENDLESS.replace("\"stream\":true", "\"stream\":false");

  private TestServer server;

  @BeforeEach
  void start() {
    Keys none = new Keys(Optional.empty(), Optional.empty(), Optional.empty());
    server = new TestServer(none, 1, 2, Optional.empty());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private Socket send(String text) throws IOException {
    Socket socket = new Socket("127.0.0.1", server.port());
    socket.setSoTimeout(60_000);
    socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    socket.getOutputStream().flush();
    return socket;
  }

  private static String post(String path, String body) {
    return "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        .formatted(path, body.length(), body);
  }

  private static BufferedReader reader(Socket socket) throws IOException {
    return new BufferedReader(
        new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
  }

  /** Reads up to a line that begins like this. */
  private static String find(BufferedReader lines, String begin) throws IOException {
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith(begin)) {
        return line;
      }
    }
    throw new IOException("there was no " + begin);
  }

  /** All up to and with a text. */
  private static String readTo(Socket socket, String end) throws IOException {
    InputStream in = socket.getInputStream();
    StringBuilder all = new StringBuilder();
    while (all.indexOf(end) < 0) {
      int next = in.read();
      assertTrue(next >= 0, all + " is all");
      all.append((char) next);
    }
    return all.toString();
  }

  private Socket endless() throws IOException {
    Socket socket = send(post(COMPLETION, ENDLESS));
    find(reader(socket), "data: ");
    return socket;
  }

  private void waitFor(String field, int value) {
    while (server.get("/health").at("/" + field).intValue() != value) {
      Thread.onSpinWait();
    }
  }

  private void waitForMetric(String line) {
    while (!server.get("/metrics").http().body().contains("\n" + line + "\n")) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aClientThatLeavesEndsItsRequest() throws IOException {
    endless().close();
    waitFor("running", 0);
    waitForMetric("kv4j_requests_total{outcome=\"cancelled\"} 1.0");
    server.ask(COMPLETION, "{\"prompt\":\"x\",\"max_tokens\":1}");
  }

  @Test
  void aClientThatLeavesWhileWaitingEndsItsRequest() throws IOException {
    try (Socket running = endless()) {
      Socket waiting = send(post(COMPLETION, ENDLESS));
      waitFor("waiting", 1);
      waiting.close();
      waitFor("waiting", 0);
      waitForMetric("kv4j_requests_total{outcome=\"cancelled\"} 1.0");
      assertTrue(running.isConnected());
    }
    waitFor("running", 0);
  }

  /** One has it computed, the other waits for its turn; that what was waited for comes is all. */
  @Test
  void clientsThatLeaveBeforeTheirWholeAnswersEndTheirRequests() throws IOException {
    Socket running = send(post(COMPLETION, WHOLE));
    waitFor("running", 1);
    Socket waiting = send(post(COMPLETION, WHOLE));
    waitFor("waiting", 1);
    waiting.close();
    waitFor("waiting", 0);
    assertEquals(1, server.get("/health").at("/running").intValue());
    running.close();
    waitFor("running", 0);
    waitForMetric("kv4j_requests_total{outcome=\"cancelled\"} 2.0");
  }

  /** Whether that side alone is closed cannot be seen, so that the client is told. */
  @Test
  void aConnectionThatIsHalfClosedBeforeAWholeAnswerIsToldWhyThereIsNone() throws IOException {
    try (Socket socket = send(post(COMPLETION, WHOLE))) {
      waitFor("running", 1);
      socket.shutdownOutput();
      BufferedReader lines = reader(socket);
      assertEquals("HTTP/1.1 400 Bad Request", lines.readLine());
      assertTrue(find(lines, "{\"error\"").contains("\"code\":\"client_left\""));
    }
    waitFor("running", 0);
  }

  /** To see whether the client is there, the server reads from its connection. */
  @Test
  void aRequestThatComesBeforeTheAnswerToTheLastIsNotLost() throws IOException {
    try (HeldScheduler held = new HeldScheduler(server.model.scheduler());
        Socket socket = send(post(COMPLETION, WHOLE.replace("4000", "20")))) {
      waitFor("waiting", 1);
      OutputStream out = socket.getOutputStream();
      String next = post("/tokenize", "{\"prompt\":\"xy\"}");
      out.write(next.substring(0, 20).getBytes(StandardCharsets.UTF_8));
      out.flush();
      held.release();
      String first = readTo(socket, "\"kv4j\"");
      assertTrue(first.contains("\"completion_tokens\":20"), first);
      out.write(next.substring(20).getBytes(StandardCharsets.UTF_8));
      out.flush();
      readTo(socket, "\"count\":3");
    }
  }

  @Test
  void aFullQueueSaysSoAndWhenToComeAgain() throws IOException {
    List<Socket> sockets = new ArrayList<>();
    sockets.add(endless());
    for (int i = 1; i <= 2; i++) {
      sockets.add(send(post(COMPLETION, ENDLESS)));
      waitFor("waiting", i);
    }
    Reply full = server.send(COMPLETION, "{\"prompt\":\"x\"}");
    assertEquals(429, full.status());
    assertEquals("queue_full", full.at("/error/code").textValue());
    assertEquals("1", full.http().headers().firstValue("Retry-After").orElseThrow());
    Reply several = server.send(COMPLETION, "{\"prompt\":\"x\",\"n\":4}");
    assertEquals("n", several.at("/error/param").textValue(), "that many never fit");
    for (Socket socket : sockets) {
      socket.close();
    }
    waitFor("waiting", 0);
    waitFor("running", 0);
    server.ask(COMPLETION, "{\"prompt\":\"x\",\"max_tokens\":1,\"n\":3}");
    waitForMetric("kv4j_requests_total{outcome=\"rejected\"} 1.0");
  }

  /** One that would send no more may still read. */
  @Test
  void aHalfClosedConnectionIsAnswered() throws IOException {
    try (Socket socket =
        send(post(COMPLETION, ENDLESS.replace("4000", "5").replace(",\"logit", ",\"logit")))) {
      socket.shutdownOutput();
      find(reader(socket), "data: [DONE]");
    }
  }

  @Test
  void requestsInOnePieceAreAnsweredInOrder() throws IOException {
    String two = post("/tokenize", "{\"prompt\":\"x\"}") + post("/tokenize", "{\"prompt\":\"xy\"}");
    try (Socket socket = send(two)) {
      String all = readTo(socket, "\"count\":3");
      assertTrue(all.indexOf("\"count\":2") < all.indexOf("\"count\":3"), all);
    }
  }

  @Test
  void whatIsNoHttpIsRefusedAndDisturbsNobody() throws IOException {
    for (String wrong :
        List.of(
            "nonsense\r\n\r\n",
            "GET /health HTTP/9.9\r\n\r\n",
            "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
            "GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + "y".repeat(40_000) + "\r\n\r\n",
            "GET /" + "a".repeat(40_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
      try (Socket socket = send(wrong)) {
        String status = reader(socket).readLine();
        assertTrue(status.matches("HTTP/1.1 [45]\\d\\d .*"), status);
        assertTrue(!status.startsWith("HTTP/1.1 500"), status);
      }
    }
    send("POST /v1/completions HTTP/1.1\r\nHost: local").close();
    send(post(COMPLETION, ENDLESS).substring(0, 150)).close();
    server.ask(COMPLETION, "{\"prompt\":\"x\",\"max_tokens\":1}");
  }

  /**
   * No matter whether it is headers or a body that drip. Who has sent a request in time may wait
   * for longer, and may keep the connection.
   */
  @Test
  void whoSendsARequestByTheDropIsCutOff() throws IOException {
    Keys none = new Keys(Optional.empty(), Optional.empty(), Optional.empty());
    try (TestServer strict =
            new TestServer(
                none,
                1,
                2,
                Optional.empty(),
                Optional.empty(),
                TestServer.CACHE_BYTES,
                Duration.ofSeconds(2));
        HeldScheduler held = new HeldScheduler(strict.model.scheduler());
        Socket kept = new Socket("127.0.0.1", strict.port());
        Socket answered = new Socket("127.0.0.1", strict.port())) {
      String health = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
      kept.getOutputStream().write(health.getBytes(StandardCharsets.UTF_8));
      readTo(kept, "\"waiting\":0");
      String few = post(COMPLETION, ENDLESS.replace("4000", "5"));
      answered.getOutputStream().write(few.getBytes(StandardCharsets.UTF_8));
      String body = post("/tokenize", "{\"prompt\":\"" + "x".repeat(10_000) + "\"}");
      for (String begin :
          List.of("GET /he", "GET /health HTTP/1.1\r\nHo", body.substring(0, 200))) {
        drip(strict.port(), begin);
      }
      kept.getOutputStream().write(health.getBytes(StandardCharsets.UTF_8));
      readTo(kept, "\"waiting\":1");
      held.release();
      readTo(answered, "data: [DONE]");
    }
  }

  /** Sends a byte whenever nothing comes for a while, until the connection is closed. */
  private static void drip(int port, String begin) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", port)) {
      socket.setSoTimeout(50);
      socket.getOutputStream().write(begin.getBytes(StandardCharsets.UTF_8));
      while (true) {
        try {
          assertEquals(-1, socket.getInputStream().read());
          return;
        } catch (SocketTimeoutException e) {
          socket.getOutputStream().write('x');
        }
      }
    } catch (SocketException e) {
      assertTrue(e.getMessage().matches("(?i).*(reset|broken pipe|abort).*"), e.getMessage());
    }
  }

  /** Closing waits for those that end in time, and no new ones are taken. */
  @Test
  void aServerThatStopsFinishesWhatItHas() throws Exception {
    Socket socket = send(post(COMPLETION, ENDLESS.replace("4000", "200")));
    BufferedReader lines = reader(socket);
    find(lines, "data: ");
    Thread closing = new Thread(server.server::close);
    closing.start();
    String last = "";
    for (String line = find(lines, "data: "); !line.equals("data: [DONE]"); ) {
      last = line;
      line = find(lines, "data: ");
    }
    JsonNode chunk = TestServer.JSON.readTree(last.substring(6));
    assertEquals(200, chunk.at("/usage/completion_tokens").intValue());
    closing.join();
    socket.close();
  }
}
