package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Metrics beside what the documentation and the dashboard make of them. */
@Timeout(120)
class MetricsTest {
  private static final Path DOCS = Path.of("..", "docs");
  private static final Pattern SAMPLE = Pattern.compile("(?m)^(\\w+)(?:\\{(.*)})? ([^ ]+)$");

  /** Of the server's own metrics. */
  private static final Pattern NAME = Pattern.compile("(?<!vllm:)\\bkv(?:4j|_cache)_\\w+");

  @TempDir private Path blocks;
  private TestServer server;

  @BeforeEach
  void start() {
    server =
        new TestServer(
            TestServer.NO_KEYS,
            3,
            3,
            Optional.empty(),
            TestServer.cacheOver(blocks),
            Optional.empty(),
            Duration.ofSeconds(60));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private String metrics() {
    return server.get("/metrics").http().body();
  }

  private static Set<String> names(String text) {
    Set<String> names = new TreeSet<>();
    Matcher name = NAME.matcher(text);
    while (name.find()) {
      names.add(name.group());
    }
    return names;
  }

  private Set<String> samples() {
    Set<String> names = new TreeSet<>();
    Matcher sample = SAMPLE.matcher(metrics());
    while (sample.find()) {
      names.add(sample.group(1));
    }
    return names;
  }

  private double value(String name) {
    Matcher sample = SAMPLE.matcher(metrics());
    while (sample.find()) {
      if (sample.group(1).equals(name)) {
        return Double.parseDouble(sample.group(3));
      }
    }
    throw new AssertionError("there is no " + name);
  }

  @Test
  void allThatThereIsIsInTheTableAndNothingElse() throws IOException {
    String page = Files.readString(DOCS.resolve("serving.md"));
    String table = page.substring(page.indexOf("\n## Metrics\n"), page.indexOf("\n## Limits\n"));
    Set<String> families = new TreeSet<>();
    for (String sample : samples()) {
      families.add(sample.replaceFirst("_seconds_(bucket|count|sum|max)$", "_seconds"));
    }
    assertEquals(names(table), families);
  }

  @Test
  void theDashboardShowsWhatThereIs() throws IOException {
    Set<String> shown = new TreeSet<>();
    for (String expression :
        TestServer.JSON.readTree(DOCS.resolve("grafana.json").toFile()).findValuesAsText("expr")) {
      Set<String> names = names(expression);
      assertTrue(names.size() > 0, expression);
      shown.addAll(names);
    }
    Set<String> missing = new TreeSet<>(shown);
    missing.removeAll(samples());
    assertEquals(Set.of(), missing);
    assertTrue(shown.size() > 10, shown.toString());
  }

  @Test
  void warmingUpIsNoRequestAndLeavesNothingCached() throws Exception {
    server.model.startWarmUp().join();
    assertEquals(0, value("kv4j_request_time_seconds_count"));
    assertEquals(0, server.model.scheduler().stats().passes());
    assertEquals(0, server.model.cache().stats().lookups().count());
    assertEquals(0, server.model.cache().stats().storage().bytes());
  }

  /** Three whose prompts find room at once, but not their answers. */
  @Test
  void requestsThatMakeRoomForOthersAreCounted() throws Exception {
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (String begin : List.of("a", "b", "c")) {
      String body =
          "{\"prompt\":\"%s\",\"max_tokens\":900,\"logit_bias\":{\"257\":-100}}"
              .formatted(begin.repeat(2000));
      answers.add(
          server.client.sendAsync(
              server.post("/v1/completions", body).build(), BodyHandlers.ofString()));
    }
    for (CompletableFuture<HttpResponse<String>> answer : answers) {
      assertTrue(answer.get().body().contains("\"completion_tokens\":900"), answer.get().body());
    }
    assertTrue(value("kv4j_preemptions_total") >= 1);
    assertTrue(value("kv4j_recomputed_tokens_total") >= 1);
  }
}
