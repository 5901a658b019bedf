package kv4j.apps.serve.stress;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Asks a server. */
record Asker(HttpClient client, String url) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String DATA = "data: ";

  /**
   * What came of a streamed answer.
   *
   * @param whole whether it came to its end
   */
  record Answer(String text, boolean whole) {}

  JsonNode get(String path) throws IOException, InterruptedException {
    return JSON.readTree(text(path));
  }

  private String text(String path) throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(URI.create(url + path)).build();
    return client.send(request, BodyHandlers.ofString()).body();
  }

  /** The sum over all labels of a metric. */
  double metric(String name) throws IOException, InterruptedException {
    Matcher line =
        Pattern.compile("(?m)^" + name + "(?:\\{.*})? (\\S+)$").matcher(text("/metrics"));
    double sum = 0;
    while (line.find()) {
      sum += Double.parseDouble(line.group(1));
    }
    return sum;
  }

  /**
   * Asks for a streamed completion.
   *
   * @param most chunks to read before leaving
   * @throws IOException if it is not answered well
   */
  Answer complete(String body, int most) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url + "/v1/completions"))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body))
            .build();
    HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
      StringBuilder text = new StringBuilder();
      for (int chunks = 0; chunks < most; ) {
        String line = lines.readLine();
        if (line == null || response.statusCode() != 200) {
          throw new IOException("status %d, %s".formatted(response.statusCode(), line));
        }
        if (line.equals(DATA + "[DONE]")) {
          return new Answer(text.toString(), true);
        }
        if (line.startsWith(DATA)) {
          JsonNode chunk = JSON.readTree(line.substring(DATA.length()));
          if (chunk.has("error")) {
            throw new IOException(line);
          }
          text.append(chunk.at("/choices/0/text").asText(""));
          chunks++;
        }
      }
      return new Answer(text.toString(), false);
    }
  }
}
