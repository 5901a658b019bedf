package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import kv4j.apps.serve.TestServer.Reply;
import kv4j.apps.serve.http.Keys;
import kv4j.apps.text.SessionCache;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A store behind a server's cache, and files that the cache is saved to. */
@Timeout(120)
class StoreRoutesTest {
  private static final String LONG = "A prefix of more than three blocks of tokens, as bytes are";
  private static final int WHOLE = LONG.length() / 16 * 16; // of LONG and a begin, but for the last

  @TempDir private Path folder;
  private Path blocks;
  private Path files;

  @BeforeEach
  void makeFolders() throws IOException {
    blocks = Files.createDirectory(folder.resolve("blocks"));
    files = Files.createDirectory(folder.resolve("files"));
  }

  private TestServer start() {
    return TestServer.withStore(TestServer.NO_KEYS, blocks, files);
  }

  private static JsonNode complete(TestServer server) {
    return server.ask(
        "/v1/completions", "{\"prompt\":\"" + LONG + "\",\"max_tokens\":4,\"temperature\":0}");
  }

  private static Reply save(TestServer server, String name) {
    return server.send("/cache/save", "{\"file\":\"" + name + "\"}");
  }

  private static Reply load(TestServer server, String name) {
    return server.send("/cache/load", "{\"file\":\"" + name + "\"}");
  }

  private static String text(JsonNode answer) {
    return answer.at("/choices/0/text").textValue();
  }

  @Test
  void afterARestartAnswersSayWhatCameFromTheStore() throws Exception {
    String before;
    try (TestServer server = start()) {
      before = text(complete(server));
      JsonNode again = complete(server);
      assertTrue(again.at("/kv4j/cached_tokens").intValue() > 0);
      assertFalse(again.get("kv4j").has("store_tokens"), "it came from memory");
      assertTrue(server.model.cache().flush(Duration.ofSeconds(30)));
      JsonNode store = server.get("/cache/stats").at("/store");
      assertEquals("files", store.get("kind").textValue());
      assertEquals("open", store.get("state").textValue());
      assertEquals(store.get("values"), store.get("written"));
      assertEquals(store.get("bytes"), store.get("written_bytes"));
    }
    try (TestServer server = start()) {
      JsonNode answer = complete(server);
      assertEquals(before, text(answer));
      assertEquals(WHOLE, answer.at("/kv4j/store_tokens").intValue());
      assertEquals(WHOLE, answer.at("/kv4j/cached_tokens").intValue());
      JsonNode stats = server.get("/cache/stats").json();
      assertEquals(WHOLE, stats.at("/lookups/store_tokens").intValue());
      assertEquals(WHOLE, stats.at("/store/hit_tokens").intValue());
      assertEquals(1, stats.at("/store/hits").intValue());
      assertEquals(stats.get("store"), server.get("/cache").at("/store"));
      String metrics = server.get("/metrics").http().body();
      for (String line :
          List.of(
              "kv_cache_store_lookups_total{cache=\"prefix\",result=\"hit\"} 1.0",
              "kv_cache_store_tokens_read_total{cache=\"prefix\"} " + WHOLE + ".0",
              "kv_cache_tokens_store_total{cache=\"prefix\"} " + WHOLE + ".0",
              "kv_cache_store_problems_total{cache=\"prefix\",problem=\"damaged\"} 0.0",
              "kv4j_store_nodes 0.0")) {
        assertTrue(metrics.contains("\n" + line + "\n"), line + " is not in\n" + metrics);
      }
    }
  }

  @Test
  void aDamagedBlockIsCountedAndComputedAgain() throws Exception {
    String before;
    try (TestServer server = start()) {
      before = text(complete(server));
    }
    try (var all = Files.list(blocks)) {
      for (Path block : all.toList()) {
        byte[] value = Files.readAllBytes(block);
        value[value.length / 2] ^= 1;
        Files.write(block, value);
      }
    }
    try (TestServer server = start()) {
      JsonNode answer = complete(server);
      assertEquals(before, text(answer));
      assertEquals("store_damaged", answer.at("/kv4j/reason").textValue());
      assertTrue(server.get("/cache/stats").at("/store/damaged").intValue() > 0);
    }
  }

  @Test
  void whatIsSavedIsLoadedByAnotherServer() throws IOException {
    String before;
    int tokens;
    try (TestServer server = start()) {
      before = text(complete(server));
      Reply saved = save(server, "a.kvc");
      assertEquals(200, saved.status(), saved.http().body());
      tokens = saved.at("/tokens").intValue();
      assertEquals((LONG.length() + 1 + 3) / 16 * 16, tokens);
      assertEquals(Files.size(files.resolve("a.kvc")), saved.at("/bytes").longValue());
      assertEquals(409, save(server, "a.kvc").status());
      assertEquals(
          200, server.send("/cache/save", "{\"file\":\"a.kvc\",\"replace\":true}").status());
    }
    try (TestServer server = startWithoutAStore()) {
      Reply loaded = load(server, "a.kvc");
      assertEquals(200, loaded.status(), loaded.http().body());
      assertEquals(tokens, loaded.at("/tokens").intValue());
      assertEquals(0, loaded.at("/left_out").findValues("no_room").get(0).intValue());
      JsonNode answer = complete(server);
      assertEquals(before, text(answer));
      assertEquals(WHOLE, answer.at("/kv4j/cached_tokens").intValue());
      assertEquals("file a.kvc", server.get("/cache").at("/runs/0/request").textValue());
      assertEquals(200, load(server, "a.kvc").status(), "which changes nothing");
    }
  }

  private TestServer startWithoutAStore() {
    return new TestServer(
        TestServer.NO_KEYS,
        2,
        16,
        Optional.empty(),
        SessionCache.of(TestServer.CACHE_BYTES),
        Optional.of(files),
        Duration.ofSeconds(60));
  }

  @Test
  void tenantsStayApartInFiles() throws IOException {
    Path keys = Files.writeString(folder.resolve("keys"), "k1 one\nk2 two\n");
    Keys both = new Keys(Optional.empty(), Optional.of(keys), Optional.of("boss"));
    String body = "{\"prompt\":\"" + LONG + "\",\"max_tokens\":1,\"temperature\":0}";
    String salted = body.replace("{", "{\"cache_salt\":\"s\",");
    try (TestServer server = TestServer.withStore(both, blocks, files)) {
      assertEquals(200, server.send(as("k1", server.post("/v1/completions", body))).status());
      assertEquals(200, server.send(as("k1", server.post("/v1/completions", salted))).status());
      assertEquals(401, save(server, "a.kvc").status());
      assertEquals(403, server.send(as("k1", server.post("/cache/save", "{}"))).status());
      assertEquals(
          200,
          server.send(as("boss", server.post("/cache/save", "{\"file\":\"a.kvc\"}"))).status());
    }
    try (var all = Files.list(blocks)) {
      for (Path block : all.toList()) {
        Files.delete(block);
      }
    }
    try (TestServer server = TestServer.withStore(both, blocks, files)) {
      Reply loaded = server.send(as("boss", server.post("/cache/load", "{\"file\":\"a.kvc\"}")));
      assertEquals(WHOLE, loaded.at("/tokens").intValue(), loaded.http().body());
      assertEquals(WHOLE / 16, loaded.at("/left_out/other_tenant").intValue());
      JsonNode one = server.send(as("k1", server.post("/v1/completions", body))).json();
      JsonNode two = server.send(as("k2", server.post("/v1/completions", body))).json();
      assertTrue(one.at("/kv4j/cached_tokens").intValue() >= WHOLE, one.toString());
      assertEquals(0, two.at("/kv4j/cached_tokens").intValue());
      assertEquals("cold", two.at("/kv4j/reason").textValue());
      Reply with =
          server.send(
              as("boss", server.post("/cache/load", "{\"file\":\"a.kvc\",\"cache_salt\":\"s\"}")));
      assertEquals(2 * WHOLE, with.at("/tokens").intValue(), with.http().body());
    }
  }

  private static HttpRequest.Builder as(String key, HttpRequest.Builder request) {
    return request.header("Authorization", "Bearer " + key);
  }

  @Test
  void onlyNamesWithinTheFolderAreTaken() throws IOException {
    Files.createSymbolicLink(files.resolve("link.kvc"), folder.resolve("elsewhere.kvc"));
    try (TestServer server = start()) {
      complete(server);
      for (String name :
          List.of(
              "../a.kvc",
              "/tmp/a.kvc",
              ".kvc",
              "..kvc",
              "a",
              "a.txt",
              "a/b.kvc",
              "a\\\\b.kvc",
              "")) {
        assertEquals(400, save(server, name).status(), name);
        assertEquals(400, load(server, name).status(), name);
      }
      assertEquals(400, server.send("/cache/save", "{\"file\":5}").status());
      assertEquals(400, server.send("/cache/save", "{\"file\":\"a.kvc\",\"what\":1}").status());
      assertEquals(404, load(server, "none.kvc").status());
      assertEquals(404, load(server, "link.kvc").status());
      assertEquals(409, save(server, "link.kvc").status());
      Reply link = server.send("/cache/save", "{\"file\":\"link.kvc\",\"replace\":true}");
      assertEquals(507, link.status(), link.http().body());
      assertFalse(Files.exists(folder.resolve("elsewhere.kvc")));
      assertEquals(200, save(server, "a.kvc").status());
      byte[] whole = Files.readAllBytes(files.resolve("a.kvc"));
      Files.write(files.resolve("a.kvc"), Arrays.copyOf(whole, whole.length - 1));
      long stored = server.get("/cache/stats").at("/storage/bytes").longValue();
      Reply cut = load(server, "a.kvc");
      assertEquals(400, cut.status());
      assertEquals("a.kvc is cut short", cut.error());
      assertEquals(stored, server.get("/cache/stats").at("/storage/bytes").longValue());
    }
    try (TestServer server = new TestServer()) {
      Reply closed = save(server, "a.kvc");
      assertEquals(403, closed.status());
      assertTrue(closed.error().endsWith("--cache-files DIR"), closed.error());
    }
  }
}
