package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import kv4j.apps.serve.TestServer.Reply;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The cache as those see and steer it who run the server. */
class CacheAdminTest {
  private static final String COMPLETION = "/v1/completions";
  private static final String LONG = "A prefix of more than three blocks of tokens, as bytes are";
  private TestServer server;

  @BeforeEach
  void start() {
    server = new TestServer();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private JsonNode complete(String prompt) {
    return server.ask(
        COMPLETION, "{\"prompt\":\"%s\",\"max_tokens\":1,\"temperature\":0}".formatted(prompt));
  }

  private Reply warm(String more) {
    return server.send("/cache/warm", "{\"name\":\"p\",\"prompt\":\"" + LONG + "\"" + more + "}");
  }

  private Reply delete(String path) {
    return server.send(server.request(path).DELETE());
  }

  @Test
  void theTreeShowsWhatIsStored() {
    complete(LONG);
    complete(LONG);
    complete(LONG.replace("bytes", "texts"));
    JsonNode tree = server.get("/cache").json();
    StringBuilder texts = new StringBuilder();
    long bytes = 0;
    for (JsonNode run : tree.get("runs")) {
      texts.append(run.get("text").textValue()).append('|');
      bytes += run.get("bytes").longValue();
      assertEquals(0, run.get("pins").intValue());
      assertTrue(run.get("age_ms").longValue() >= 0);
    }
    assertTrue(texts.toString().replace("|", "").startsWith(LONG), texts.toString());
    assertTrue(texts.toString().contains("bytes are|texts are|"), texts.toString());
    assertEquals(tree.at("/storage/bytes").longValue(), bytes);
    assertEquals(2, tree.get("runs").get(0).get("hits").intValue());
    JsonNode first = server.get("/cache/runs/" + tree.at("/runs/0/id").longValue()).json();
    assertEquals(tree.at("/runs/0/texts"), first.get("texts"));
    assertEquals(2, first.get("keys").size(), "layers");
    assertEquals(2, first.at("/values/1").size(), "heads");
    assertTrue(first.at("/keys/0/0").doubleValue() > 0);
    assertEquals(404, server.get("/cache/runs/9999").status());
    assertEquals(404, server.get("/cache/runs/x").status());

    JsonNode stats = server.get("/cache/stats").json();
    assertEquals(3, stats.at("/lookups/count").intValue());
    assertEquals(2, stats.at("/lookups/hits").intValue());
    assertEquals(1, stats.at("/lookups/reasons/diverged").intValue());
    assertEquals(1, stats.at("/lookups/reasons/full").intValue());
  }

  @Test
  void aWarmedPrefixIsCachedPinnedAndLetGo() {
    Reply pinned = warm("");
    assertEquals(200, pinned.status(), pinned.http().body());
    int tokens = pinned.at("/pinned_tokens").intValue();
    assertEquals(48, tokens);
    assertTrue(pinned.at("/expires_at").isNull());
    assertEquals(LONG.length() + 1, pinned.at("/prompt_tokens").intValue());
    assertEquals("p", server.get("/cache/pins/p").at("/name").textValue());
    assertEquals(1, server.get("/cache/pins").at("/pins").size());
    assertTrue(server.get("/cache").at("/runs/0/pins").intValue() > 0);
    assertTrue(server.get("/cache/stats").at("/storage/pinned_bytes").intValue() > 0);
    assertTrue(complete(LONG + " more").at("/kv4j/cached_tokens").intValue() >= tokens);

    // A budget's worth of other prompts drives out what is not pinned.
    complete("An unpinned one that is about as long as the pinned one is");
    for (int i = 0; i < 6; i++) {
      complete(i + "x".repeat(2000));
    }
    assertTrue(server.get("/cache/stats").at("/storage/removed/size").intValue() > 0);
    assertTrue(complete(LONG + " again").at("/kv4j/cached_tokens").intValue() >= tokens);
    JsonNode unpinned = complete("An unpinned one that is about as long as the pinned one is");
    assertEquals("evicted", unpinned.at("/kv4j/reason").textValue());

    assertEquals(409, warm("").status());
    assertEquals(200, delete("/cache/pins/p").status());
    assertEquals(404, delete("/cache/pins/p").status());
    assertEquals(404, server.get("/cache/pins/p").status());
    assertEquals(0, server.get("/cache/stats").at("/storage/pinned_bytes").intValue());
    assertEquals(200, warm("").status());
  }

  @Test
  void aPinEndsWithItsTime() {
    Reply pinned = warm(",\"ttl_seconds\":1");
    assertEquals(200, pinned.status(), pinned.http().body());
    assertTrue(pinned.at("/expires_at").textValue().endsWith("Z"));
    while (server.get("/cache/pins/p").status() == 200) {
      Thread.onSpinWait();
    }
    assertEquals(0, server.get("/cache/stats").at("/storage/pinned_bytes").intValue());
  }

  @Test
  void whatCannotBeWarmedIsRefused() {
    for (String body :
        List.of(
            "{\"prompt\":\"x\"}",
            "{\"name\":\"a b\",\"prompt\":\"x\"}",
            "{\"name\":\"a\"}",
            "{\"name\":\"a\",\"prompt\":\"x\",\"messages\":[]}",
            "{\"name\":\"a\",\"prompt\":\"x\",\"ttl_seconds\":0}",
            "{\"name\":\"a\",\"prompt\":\"x\",\"what\":0}",
            "{\"name\":\"a\",\"prompt\":\"less than a block\"}".replace("than a block", ""))) {
      Reply reply = server.send("/cache/warm", body);
      assertEquals(400, reply.status(), body + reply.http().body());
      assertTrue(reply.json().has("error"));
    }
    assertEquals(0, server.get("/cache/pins").at("/pins").size());
  }

  @Test
  void messagesAreWarmedAsTheyBegin() {
    String system = "{\"role\":\"system\",\"content\":\"" + LONG + "\"}";
    Reply pinned = server.send("/cache/warm", "{\"name\":\"s\",\"messages\":[" + system + "]}");
    assertEquals(200, pinned.status(), pinned.http().body());
    JsonNode answer =
        server.ask(
            "/v1/chat/completions",
            "{\"messages\":["
                + system
                + ",{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":1}");
    assertEquals(
        pinned.at("/prompt_tokens").intValue(), answer.at("/kv4j/cached_tokens").intValue());
  }

  @Test
  void resetForgetsEverything() {
    warm("");
    complete(LONG);
    assertEquals(200, server.send("/reset_prefix_cache", "").status());
    assertEquals(0, server.get("/cache").at("/runs").size());
    assertEquals(0, server.get("/cache/pins").at("/pins").size());
    assertEquals(0, complete(LONG).at("/kv4j/cached_tokens").intValue());
    assertEquals(200, warm("").status(), "the name is free again");
  }

  /** A follower's tree, made of a snapshot and the events after it, is the server's. */
  @Test
  void eventsMakeTheTreeAndCanBeResumed() throws Exception {
    complete(LONG);
    List<SseReader.Event> events = new ArrayList<>();
    FollowerTree follower = new FollowerTree();
    try (SseReader reader = new SseReader(server, null)) {
      follower.apply(reader.next());
      complete(LONG.replace("bytes", "texts"));
      complete("Another beginning of more than two blocks");
      for (int finished = 0; finished < 2; ) {
        SseReader.Event event = reader.next();
        events.add(event);
        follower.apply(event);
        finished += event.name().equals("finished") ? 1 : 0;
      }
    }
    assertEquals(FollowerTree.of(server.get("/cache").json()), follower.runs());
    List<String> requests = new ArrayList<>();
    for (SseReader.Event event : events) {
      assertTrue(event.data().get("time").longValue() > 0);
      JsonNode request = event.data().path("request");
      if (!request.isMissingNode() && !requests.contains(request.textValue())) {
        requests.add(request.textValue());
      }
    }
    assertEquals(2, requests.size(), "what a request found and left is told with its name");
    assertTrue(
        new TreeSet<>(events.stream().map(SseReader.Event::name).toList())
            .containsAll(List.of("queued", "found", "first_token", "inserted", "finished")),
        events.toString());

    String seen = events.get(1).id();
    try (SseReader resumed = new SseReader(server, seen)) {
      for (SseReader.Event event : events.subList(2, events.size())) {
        assertEquals(event, resumed.next());
      }
    }
    try (SseReader unknown = new SseReader(server, "00000000-7")) {
      assertEquals("snapshot", unknown.next().name());
    }
  }

  @Test
  void metricsAreWhatPrometheusReads() {
    complete(LONG);
    complete(LONG);
    server.send(COMPLETION, "{\"prompt\":5}");
    Reply metrics = server.get("/metrics");
    String text = metrics.http().body();
    int prompt = LONG.length() + 1;
    for (String line :
        List.of(
            "kv_cache_tokens_prompt_total{cache=\"prefix\"} " + 2.0 * prompt,
            "kv_cache_tokens_cached_total{cache=\"prefix\"} " + (prompt - 1.0),
            "kv4j_prompt_tokens_total{source=\"cached\"} " + (prompt - 1.0),
            "kv4j_prompt_tokens_total{source=\"computed\"} " + (prompt + 1.0),
            "kv4j_generated_tokens_total 2.0",
            "kv4j_requests_running 0.0",
            "kv4j_requests_waiting 0.0",
            "kv4j_requests_total{outcome=\"finished\"} 2.0",
            "kv4j_time_to_first_token_seconds_count 2",
            "kv4j_request_time_seconds_bucket{le=\"+Inf\"} 2",
            "kv4j_queue_time_seconds_count 2",
            "kv_cache_removed_total{cache=\"prefix\",cause=\"size\"} 0.0",
            "kv_cache_size_pinned_bytes{cache=\"prefix\"} 0.0")) {
      assertTrue(text.contains("\n" + line + "\n"), line + " is not in\n" + text);
    }
    for (String line : text.lines().toList()) {
      assertTrue(line.matches("# (HELP|TYPE) \\w+ .*|\\w+(\\{.*\\})? [-+0-9.eEInfNa]+"), line);
    }
    assertFalse(text.contains("kv4j_time_per_output_token_seconds_count 2"), "of one token each");
  }
}
