package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.microsoft.playwright.Browser;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What stands in prompts is text and nothing else, and the page is for everybody. */
@Timeout(180)
@ExtendWith(Chromium.class)
class PageSafetyTest {
  private static final List<String> HOSTILE =
      List.of(
          "<script>window.hacked = 1</script>",
          "<img src=x onerror='window.hacked = 2'>",
          "\"><svg onload=window.hacked=3>",
          "</p></div></section><h1>New page</h1>",
          "javascript:window.hacked=4 ${window.hacked=5} {{7*7}}",
          "\u202Eright to left\u202C \u2066isolated\u2069 \u200Binvisible",
          "\u0000\u0007\u001B[31m\uFEFF and \uD83D\uDC69\u200D\uD83D\uDCBB",
          "__proto__ constructor toString");

  /** axe-core's findings, each with its elements. */
  private static final String VIOLATIONS =
      "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations.map("
          + "({ id, nodes }) => id + nodes.map(({ html, failureSummary }) => html + failureSummary))";

  @TempDir private Path folder;

  private static String body(String prompt, String user) {
    ObjectNode json = TestServer.JSON.createObjectNode();
    json.put("prompt", prompt).put("user", user).put("max_tokens", 1);
    return json.toString();
  }

  private static void checkUnharmed(LivePage page) {
    assertTrue((Boolean) page.page.evaluate("() => window.hacked === undefined"));
    assertEquals(0, page.find("img[src=x], main svg[onload], main script, main h1").count());
    page.checkComplaints();
  }

  @Test
  void hostileTextIsShownAsText(Browser browser) {
    try (TestServer server = new TestServer();
        LivePage page = new LivePage(browser, server.server.url())) {
      for (String text : HOSTILE) {
        server.ask("/v1/completions", body(text + " and then some, to fill a block", text));
      }
      page.awaitAll(server);
      for (int i = 0; i < HOSTILE.size(); i++) {
        page.find("#requests button").nth(i).click();
        page.page.waitForSelector("#details .reason");
      }
      page.find("#requests button").nth(HOSTILE.size() - 1).click();
      assertTrue(
          page.text("#details .strip")
              .replaceAll("\\s", "")
              .contains(HOSTILE.get(0).replaceAll("\\s", "")));
      page.find("#requests button").nth(HOSTILE.size() - 6).click();
      assertTrue(page.text("#details .strip").contains("⟨202E⟩"), page.text("#details .strip"));
      for (String text : HOSTILE.subList(0, 5)) {
        page.find("#search").fill(text);
        page.page.waitForFunction(
            "() => document.getElementById('tree-summary').textContent.includes('with this text')");
      }
      page.find("#search").fill("");
      page.find("#tab-try").click();
      page.find("#message").fill(HOSTILE.get(1));
      page.find("#message").press("Enter");
      page.page.waitForSelector(".cost");
      assertTrue(page.text(".message.user").contains("<img src=x"));
      checkUnharmed(page);
    }
  }

  /** Of a recording, since no model has such tokens. */
  @Test
  void hugeTokensDoNotBreakThePage(Browser browser) throws Exception {
    String huge = "<b>mega</b>".repeat(100_000);
    ObjectNode snapshot = TestServer.JSON.createObjectNode();
    try (TestServer server = new TestServer();
        LivePage page = new LivePage(browser, server.server.url())) {
      snapshot.setAll((ObjectNode) server.get("/cache").json());
      snapshot.put("time", 1);
      ObjectNode inserted = TestServer.JSON.createObjectNode();
      inserted
          .put("time", 2)
          .put("number", 1)
          .put("namespace", "<i>")
          .put("run", 1)
          .put("parent", 0);
      inserted.put("start", 0).put("entries", 1).put("bytes", 1 << 20).put("request", "<u>r</u>");
      inserted.putArray("tokens").add(1).add(2).add(3);
      inserted.putArray("texts").add(huge).add("\u202E").add("end");
      ObjectNode queued = TestServer.JSON.createObjectNode();
      queued
          .put("time", 3)
          .put("request", "<u>r</u>")
          .put("namespace", "<i>")
          .put("prompt_tokens", 3);
      queued.put("user", huge).set("texts", inserted.get("texts"));
      Path file = folder.resolve("huge.jsonl");
      Files.writeString(
          file,
          Stream.of(line("snapshot", snapshot), line("inserted", inserted), line("queued", queued))
              .collect(Collectors.joining("\n")));
      page.find("#recording").setInputFiles(file);
      page.await("player.mode === 'live' && player.store.runs.size === 1");
      page.page.waitForSelector(".run").click();
      page.page.waitForSelector("#details .strip");
      page.find("#requests button").click();
      page.page.waitForSelector("#details .state");
      assertTrue(page.text("#details").length() < 5000);
      assertTrue(page.text("#requests").length() < 500);
      checkUnharmed(page);
    }
  }

  private static String line(String event, ObjectNode data) {
    return TestServer.JSON.createObjectNode().put("event", event).set("data", data).toString();
  }

  @Test
  void onlyItsOwnScriptsRun(Browser browser) {
    try (TestServer server = new TestServer()) {
      HttpResponse<String> page = server.get("/").http();
      String policy = page.headers().firstValue("Content-Security-Policy").orElseThrow();
      assertTrue(policy.startsWith("default-src 'none'; script-src 'self'; style-src 'self';"));
      assertTrue(!policy.contains("unsafe"), policy);
      assertTrue(
          !page.body().matches("(?s).*(<style|style=| on\\w+=|<script(?! type=\"module\" src)).*"));
      for (String path : List.of("/css/page.css", "/js/main.js", "/icon.svg")) {
        assertEquals(200, server.get(path).status());
        assertEquals(
            policy,
            server.get(path).http().headers().firstValue("Content-Security-Policy").orElseThrow());
      }
      assertEquals(404, server.get("/js/none.js").status());
      assertEquals(400, server.get("/js/../../Server.class").status());
      assertEquals(404, server.get("/package-info.class").status());
      try (LivePage live = new LivePage(browser, server.server.url())) {
        live.page.evaluate(
            "() => { const script = document.createElement('script');"
                + " script.textContent = 'window.hacked = 1'; document.body.append(script) }");
        assertTrue((Boolean) live.page.evaluate("() => window.hacked === undefined"));
      }
    }
  }

  @Test
  void everybodyCanUseIt(Browser browser) throws IOException {
    try (TestServer server = new TestServer();
        LivePage page = new LivePage(browser, server.server.url())) {
      page.page.evaluate(axe());
      check(page, "empty");
      page.find("[data-experiment=prefix]").click();
      page.page.waitForFunction("() => document.querySelectorAll('.cost').length === 2");
      page.page.waitForSelector("[data-experiment=prefix]:enabled");
      page.awaitAll(server);
      for (String theme : List.of("light", "dark")) {
        check(page, theme + ", try it");
        page.find(".run").first().click();
        page.page.waitForSelector("#details .heat");
        check(page, theme + ", a run");
        page.find("#requests button").first().click();
        page.page.waitForSelector("#details .reason");
        check(page, theme + ", a request");
        page.find("#tab-lessons").click();
        page.find("[data-lesson=bits]").click();
        page.page.waitForSelector("#lessons .lesson-step");
        check(page, theme + ", a lesson");
        page.find("#colour").selectOption("tenant");
        check(page, theme + ", by tenant");
        page.find("#colour").selectOption("age");
        page.find("#theme").click();
        page.find("#tab-try").click();
      }
      page.page.setViewportSize(390, 844);
      for (String view : List.of("tree", "requests", "memory", "side")) {
        page.find("#view-" + view).click();
        check(page, "small, " + view);
      }
      page.checkComplaints();
    }
  }

  private static String axe() throws IOException {
    try (InputStream in = PageSafetyTest.class.getResourceAsStream("/axe.min.js")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** Without anything moving, as colours in between are nobody's. */
  private static void check(LivePage page, String state) {
    page.page.waitForFunction(
        "() => document.getAnimations().every((animation) => animation.playState !== 'running')");
    assertEquals(List.of(), page.page.evaluate(VIOLATIONS), state);
  }
}
