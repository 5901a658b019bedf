package kv4j.apps.serve;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;

/** Follows a server's events, but for the figures, which come when they like. */
final class SseReader implements AutoCloseable {
  private final BufferedReader lines;

  record Event(String id, String name, JsonNode data) {}

  /**
   * @param lastSeen id of the last event that it had; null for none
   */
  SseReader(TestServer server, String lastSeen) throws IOException, InterruptedException {
    HttpRequest.Builder request = server.request("/events");
    if (lastSeen != null) {
      request.header("Last-Event-ID", lastSeen);
    }
    HttpResponse<InputStream> response =
        server.client.send(request.build(), BodyHandlers.ofInputStream());
    lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
  }

  Event next() throws IOException {
    String id = null;
    String name = null;
    JsonNode data = null;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith("id: ")) {
        id = line.substring(4);
      } else if (line.startsWith("event: ")) {
        name = line.substring(7);
      } else if (line.startsWith("data: ")) {
        data = TestServer.JSON.readTree(line.substring(6));
      } else if (line.isEmpty() && data != null && !name.equals("figures")) {
        return new Event(id, name, data);
      }
    }
    throw new IOException("the events have ended");
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
