package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kv4j.apps.serve.TestServer.Reply;
import kv4j.apps.serve.http.Keys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who is let in, and that tenants learn nothing of each other. */
class TenantsTest {
  private static final String COMPLETION = "/v1/completions";
  private static final String SECRET =
      "{\"prompt\":\"The secret of the first tenant is that there is none at all\",\"max_tokens\":1}";

  @TempDir private Path folder;

  private static Reply send(TestServer server, HttpRequest.Builder request, String key) {
    return server.send(key == null ? request : request.header("Authorization", "Bearer " + key));
  }

  private static Reply post(TestServer server, String path, String body, String key) {
    return send(server, server.post(path, body), key);
  }

  private static Reply get(TestServer server, String path, String key) {
    return send(server, server.request(path), key);
  }

  private static JsonNode ask(TestServer server, String body, String key) {
    Reply reply = post(server, COMPLETION, body, key);
    assertEquals(200, reply.status(), reply.http().body());
    return reply.json();
  }

  private static void refused(int status, String code, Reply reply) {
    assertEquals(status, reply.status(), reply.http().body());
    assertEquals(code, reply.at("/error/code").textValue());
    assertEquals(status == 401, reply.http().headers().firstValue("WWW-Authenticate").isPresent());
  }

  @Test
  void aKeyIsNeededWhereThereIsOne() {
    try (TestServer server = TestServer.withKeys(Optional.of("right"), Optional.empty(), null)) {
      for (String path : List.of(COMPLETION, "/v1/chat/completions", "/tokenize", "/detokenize")) {
        refused(401, "invalid_api_key", post(server, path, "{}", null));
        refused(401, "invalid_api_key", post(server, path, "{}", "wrong"));
        refused(401, "invalid_api_key", post(server, path, "{}", "right2"));
        assertEquals(400, post(server, path, "{}", "right").status());
      }
      for (String path : List.of("/v1/models", "/metrics")) {
        refused(401, "invalid_api_key", get(server, path, null));
        assertEquals(200, get(server, path, "right").status());
      }
      assertEquals(200, server.get("/health").status());
      assertEquals(200, server.get("/version").status());
      refused(401, "invalid_api_key", get(server, "/cache", null));
      refused(403, "no_admin_key", get(server, "/cache/stats", "right"));
      assertEquals(200, get(server, "/cache", "right").status());
      Reply basic =
          server.send(server.request("/v1/models").header("Authorization", "Basic right"));
      refused(401, "invalid_api_key", basic);
      assertEquals(200, ask(server, SECRET, "right").isObject() ? 200 : 0);
    }
  }

  @Test
  void whatConcernsAllTenantsNeedsTheAdminKey() {
    try (TestServer server = TestServer.withKeys(Optional.of("user"), Optional.empty(), "admin")) {
      for (String path : List.of("/cache", "/events", "/cache/runs/1")) {
        refused(401, "invalid_api_key", get(server, path, null));
      }
      for (String path : List.of("/cache/stats", "/cache/pins", "/cache/pins/x")) {
        refused(401, "invalid_api_key", get(server, path, null));
        refused(403, "admin_key_needed", get(server, path, "user"));
        int status = path.endsWith("/x") ? 404 : 200;
        assertEquals(status, get(server, path, "admin").status());
      }
      refused(403, "admin_key_needed", post(server, "/reset_prefix_cache", "", "user"));
      refused(403, "admin_key_needed", post(server, "/cache/warm", "{}", "user"));
      assertEquals(200, post(server, "/reset_prefix_cache", "", "admin").status());
      refused(401, "invalid_api_key", post(server, COMPLETION, SECRET, "admin"));
    }
    try (TestServer open = TestServer.withKeys(Optional.empty(), Optional.empty(), "admin")) {
      ask(open, SECRET, null);
      refused(401, "invalid_api_key", get(open, "/cache", null));
      assertEquals(200, get(open, "/cache", "admin").status());
    }
  }

  @Test
  void aTenantLearnsNothingOfAnother() throws IOException {
    Path file = folder.resolve("keys");
    Files.writeString(file, "# keys\nk1 one\nk2 two\nk1b one\n");
    try (TestServer server = TestServer.withKeys(Optional.empty(), Optional.of(file), "admin")) {
      ask(server, SECRET, "k1");
      JsonNode own = ask(server, SECRET, "k1");
      assertTrue(own.at("/kv4j/cached_tokens").intValue() > 40, "the first finds its own");
      assertTrue(
          ask(server, SECRET, "k1b").at("/kv4j/cached_tokens").intValue() > 40,
          "by any of its keys");

      JsonNode other = ask(server, SECRET, "k2");
      assertEquals(0, other.at("/kv4j/cached_tokens").intValue());
      assertEquals("cold", other.at("/kv4j/reason").textValue(), "not: other namespace");
      assertEquals(0, other.at("/usage/prompt_tokens_details/cached_tokens").intValue());
      String near = SECRET.replace("none at all", "one");
      assertEquals("diverged", ask(server, near, "k1").at("/kv4j/reason").textValue());
      String far = SECRET.replace("The secret of the first", "The secret of the other");
      JsonNode diverged = ask(server, far.replace("none at all", "one"), "k2");
      assertEquals("first te", diverged.at("/kv4j/stored").textValue(), "its own text is shown");
      assertFalse(ask(server, far, "k1").toString().contains("one\""), "and no text of the other");

      JsonNode tree = get(server, "/cache", "admin").json();
      assertEquals(
          List.of("one", "two"),
          tree.get("runs").findValuesAsText("namespace").stream().distinct().sorted().toList());
      JsonNode ownTree = get(server, "/cache", "k1").json();
      assertEquals(
          List.of("one"),
          ownTree.get("runs").findValuesAsText("namespace").stream().distinct().toList());
      assertFalse(ownTree.has("storage"), "which is of all tenants together");
      for (JsonNode run : tree.get("runs")) {
        boolean isOwn = run.get("namespace").textValue().equals("one");
        String path = "/cache/runs/" + run.get("id").longValue();
        assertEquals(isOwn ? 200 : 404, get(server, path, "k1").status());
        assertEquals(200, get(server, path, "admin").status());
      }
    }
  }

  @Test
  void noTenantKeepsOthersFromFollowing() throws Exception {
    Path file = folder.resolve("keys");
    Files.writeString(file, "k1 one\nk2 two\n");
    List<InputStream> open = new ArrayList<>();
    try (TestServer server = TestServer.withKeys(Optional.empty(), Optional.of(file), "admin")) {
      for (int i = 0; i < 8; i++) {
        assertEquals(200, follow(server, "k1", open));
      }
      assertEquals(429, follow(server, "k1", open));
      assertEquals(200, follow(server, "k2", open));
      assertEquals(200, follow(server, "admin", open));
      for (InputStream events : open) {
        events.close();
      }
    }
  }

  private static int follow(TestServer server, String key, List<InputStream> open)
      throws IOException, InterruptedException {
    HttpResponse<InputStream> events =
        server.client.send(
            server.request("/events").header("Authorization", "Bearer " + key).build(),
            BodyHandlers.ofInputStream());
    open.add(events.body());
    return events.statusCode();
  }

  @Test
  void keysAreReadAgainWhenTheirFileChanges() throws IOException {
    Path file = folder.resolve("keys");
    Files.writeString(file, "k1 one\n");
    try (TestServer server = TestServer.withKeys(Optional.empty(), Optional.of(file), null)) {
      refused(401, "invalid_api_key", post(server, COMPLETION, SECRET, "k2"));
      Files.writeString(file, "k2 two\n# more\n");
      ask(server, SECRET, "k2");
      refused(401, "invalid_api_key", post(server, COMPLETION, SECRET, "k1"));
      Files.writeString(file, "k3 three and more than a name\n");
      ask(server, SECRET, "k2"); // a file with a mistake changes nothing
      Files.delete(file);
      ask(server, SECRET, "k2");
    }
  }

  @Test
  void filesOfKeysHaveToMakeSense() throws IOException {
    for (String wrong : List.of("k1", "k1 one two", "k1 na/me", "k1 one\nk1 two")) {
      Path file = Files.writeString(folder.resolve("keys"), wrong);
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> new Keys(Optional.empty(), Optional.of(file), Optional.empty()),
                  wrong)
              .getMessage();
      assertTrue(message.startsWith("--api-keys "), message);
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> new Keys(Optional.empty(), Optional.of(folder.resolve("none")), Optional.empty()));
  }
}
