package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Browser;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import kv4j.apps.serve.admin.Recording;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Where the page's events come from: a connection that breaks, keys, and recordings. */
@Timeout(180)
@ExtendWith(Chromium.class)
class PageStreamTest {
  private static final String ASK =
      "{\"prompt\":\"A prompt of more than a block, %s\",\"max_tokens\":2}";

  @TempDir private Path folder;

  private static void ask(TestServer server, String what) {
    server.ask("/v1/completions", ASK.formatted(what));
  }

  @Test
  void aLostConnectionLosesNothing(Browser browser) throws IOException {
    try (TestServer server = new TestServer();
        CuttableProxy proxy = new CuttableProxy(server.port());
        LivePage page = new LivePage(browser, proxy.url())) {
      ask(server, "first");
      page.awaitAll(server);
      proxy.cut();
      page.page.waitForSelector("#connection[data-state=waiting]");
      ask(server, "meanwhile");
      ask(server, "and again");
      proxy.mend();
      page.page.waitForSelector("#connection[data-state=live]");
      page.awaitAll(server);
      assertEquals(
          1,
          page.player("player.events.filter(({ event }) => event === 'snapshot').length")
              .intValue(),
          "it went on where it was");
      assertEquals(3, page.find("#requests li").count());
      assertEquals(
          "[]",
          page.player(
                  "player.events.map(({ data }) => data.number).filter((n) => n)"
                      + ".filter((n, i, all) => i > 0 && n !== all[i - 1] + 1)")
              .toString(),
          "no event is missing or came twice");
    }
  }

  @Test
  void whatTheSnapshotKnowsAlreadyIsNotAppliedAgain(Browser browser) throws Exception {
    try (TestServer server = new TestServer()) {
      ask(server, "first");
      ask(server, "second"); // splits the first one's run
      String first;
      try (SseReader snapshot = new SseReader(server, null)) {
        first = snapshot.next().id().replaceFirst("\\d+$", "0");
      }
      long last = server.get("/cache").at("/number").longValue();
      try (LivePage page = new LivePage(browser, server.server.url());
          SseReader all = new SseReader(server, first)) {
        page.await("player.store.runs.size > 0");
        StringBuilder takeAll = new StringBuilder();
        for (long number = 0; number < last; ) {
          SseReader.Event event = all.next();
          number = Math.max(number, event.data().path("number").longValue());
          takeAll.append(
              "player.take({ event: '%s', data: %s }), ".formatted(event.name(), event.data()));
        }
        page.player("(" + takeAll + "0)");
        assertEquals(FollowerTree.of(server.get("/cache").json()), page.tree());
        assertEquals(
            server.get("/cache/stats").at("/storage/bytes").longValue(),
            page.player("player.store.bytes").longValue());
        page.checkComplaints();
      }
    }
  }

  @Test
  void aTenantSeesItsOwn(Browser browser) throws IOException {
    Path keys = folder.resolve("keys");
    Files.writeString(keys, "k1 one\nk2 two\n");
    try (TestServer server = TestServer.withKeys(Optional.empty(), Optional.of(keys), "admin");
        LivePage page = new LivePage(browser, server.server.url(), 1440, 900)) {
      page.page.waitForSelector("#keys[open]");
      assertTrue(page.text("#keys-reason").contains("key"));
      page.find("#watch-key").fill("wrong");
      page.find("#keys [type=submit]").click();
      page.page.waitForSelector("#keys[open]");
      page.find("#watch-key").fill("k1");
      page.find("#keys [type=submit]").click();
      page.page.waitForSelector("#connection[data-state=live]");
      for (String key : List.of("k1", "k2", "k1")) {
        assertEquals(
            200,
            server
                .send(
                    server
                        .post("/v1/completions", ASK.formatted("of " + key))
                        .header("Authorization", "Bearer " + key))
                .status());
      }
      page.await(
          "[...player.store.requests.values()].filter((request) => request.ended).length === 2");
      assertEquals(
          "[\"one\"]",
          page.player("[...new Set(player.events.flatMap(({ data }) => data.namespace ?? []))]")
              .toString());
      assertEquals(
          FollowerTree.of(
              server.send(server.request("/cache").header("Authorization", "Bearer k1")).json()),
          page.tree());
      page.find(".run").first().click();
      page.page.waitForSelector("#details .heat");
      page.find("#tab-try").click();
      page.find("#message").fill("As one");
      page.find("#message").press("Enter");
      page.page.waitForSelector(".cost");

      page.find("#key-button").click();
      page.find("#watch-key").fill("admin");
      page.find("#api-key").fill("k2");
      page.awaitReload(() -> page.find("#keys [type=submit]").click());
      page.await("new Set([...player.store.runs.values()].map((run) => run.namespace)).size === 2");
      page.find("#message").fill("As two");
      page.find("#message").press("Enter");
      page.page.waitForSelector(".cost");
    }
  }

  @Test
  void aRecordingPlaysWithoutTheServer(Browser browser) throws IOException {
    Path file = folder.resolve("run.jsonl");
    String tree;
    try (TestServer server = new TestServer()) {
      ask(server, "before");
      try (Recording recording = new Recording(server.model, file)) {
        ask(server, "first");
        ask(server, "first and more");
        assertTrue(server.model.events().last() > 0, recording.toString());
      }
      tree = FollowerTree.of(server.get("/cache").json()).toString();
    }
    HttpServer files =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    files.createContext(
        "/",
        exchange -> {
          String path = exchange.getRequestURI().getPath();
          byte[] bytes = path.equals("/run.jsonl") ? Files.readAllBytes(file) : resource(path);
          String type =
              path.endsWith(".js")
                  ? "text/javascript"
                  : path.endsWith(".css")
                      ? "text/css"
                      : path.endsWith(".svg") ? "image/svg+xml" : "text/html";
          exchange.getResponseHeaders().add("Content-Type", type);
          exchange.sendResponseHeaders(200, bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
    files.start();
    String url = "http://127.0.0.1:" + files.getAddress().getPort();
    try (LivePage page = new LivePage(browser, url + "/index.html?replay=run.jsonl", 1440, 900)) {
      page.await("player.mode === 'live' && player.position > 5");
      assertEquals(tree, page.tree().toString());
      page.awaitDrawn();
      assertEquals(2, page.find("#requests li").count());
      assertTrue(page.find("[data-experiment]").count() == 0, "there is nobody to ask");
      page.find(".run").first().click();
      page.page.waitForSelector("#details .note");
      page.checkComplaints();

      Path none = Files.writeString(folder.resolve("none.jsonl"), "no recording\n");
      page.find("#recording").setInputFiles(none);
      page.page.waitForSelector("#connection[data-state=closed]");
      page.find("#recording").setInputFiles(file);
      page.page.waitForSelector("#connection[data-state=recorded]");
      page.await("player.mode === 'live'");
      assertEquals(tree, page.tree().toString());
      page.checkComplaints();
    } finally {
      files.stop(0);
    }
  }

  private static byte[] resource(String path) throws IOException {
    try (InputStream in = Server.class.getResourceAsStream("page" + path)) {
      return in.readAllBytes();
    }
  }
}
