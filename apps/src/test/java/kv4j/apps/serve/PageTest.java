package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Locator;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the page shows is what the server's answers and {@code /cache} say. */
@Timeout(180)
@ExtendWith(Chromium.class)
class PageTest {
  private static final String RULES =
      "You answer questions of people who visit the city library, in few words.";

  private TestServer server;
  private OpenAIClient client;
  private LivePage page;

  @BeforeEach
  void start(Browser browser) {
    server = new TestServer();
    client =
        OpenAIOkHttpClient.builder().baseUrl(server.server.url() + "/v1").apiKey("none").build();
    page = new LivePage(browser, server.server.url());
  }

  @AfterEach
  void stop() {
    if (server != null) {
      page.checkComplaints();
      page.close();
      client.close();
      server.close();
    }
  }

  private ChatCompletion ask(String question) {
    return client
        .chat()
        .completions()
        .create(
            ChatCompletionCreateParams.builder()
                .model("tiny")
                .addSystemMessage(RULES)
                .addUserMessage(question)
                .temperature(0)
                .maxCompletionTokens(6)
                .build());
  }

  /** The part of an answer that is no OpenAI's. */
  private static JsonNode kv4j(ChatCompletion answer) {
    return TestServer.JSON.valueToTree(answer).get("kv4j");
  }

  /** Opens a request's details. */
  private void open(String request) {
    page.page.waitForSelector("[data-request='" + request + "'][data-state=finished]").click();
    page.page.waitForSelector("#details .reason");
  }

  @Test
  void aRequestIsColouredAsItsAnswerSays() {
    ask("May I renew a book?");
    ChatCompletion answer = ask("May I bring my dog?");
    JsonNode said = kv4j(answer);
    open(answer.id());
    assertEquals(said.at("/cached_tokens").intValue(), page.tokens("cached"));
    assertTrue(page.tokens("cached") > RULES.length());
    assertEquals(
        said.at("/prompt_tokens").intValue(), page.tokens("cached") + page.tokens("computed"));
    assertEquals(6, page.tokens("generated"));
    assertEquals("diverged", page.find("#details .reason").getAttribute("data-reason"));
    assertEquals(said.at("/here").textValue(), page.text("[data-fork=here]"));
    assertEquals(said.at("/stored").textValue(), page.text("[data-fork=stored]"));
    double edge =
        Double.parseDouble(page.find(".hits rect.computed").first().getAttribute("x"))
            / Double.parseDouble(page.find(".hits").getAttribute("viewBox").split(" ")[2]);
    assertEquals(
        said.at("/cached_tokens").doubleValue() / said.at("/prompt_tokens").doubleValue(),
        edge,
        1e-3);
    assertEquals(2, page.find(".hits rect.cached").count(), "of two layers");

    double cost = server.model.recorder().prefillMsPerToken().getAsDouble();
    double with = said.at("/queue_ms").doubleValue() + said.at("/prefill_ms").doubleValue();
    double without = with + said.at("/cached_tokens").intValue() * cost;
    List<String> bars = page.find("#details .bars i").all().stream().map(PageTest::width).toList();
    assertEquals(100 * with / without, Double.parseDouble(bars.get(0)), 0.6);
    assertEquals(100, Double.parseDouble(bars.get(1)), 0.01);
    int computed = page.tokens("computed");
    assertTrue(
        page.text("#details")
            .contains("%d ÷ %d".formatted(said.at("/prompt_tokens").intValue(), computed)));
  }

  private static String width(Locator bar) {
    return bar.getAttribute("style").replaceAll("(?s).*width: ([\\d.]+)%.*", "$1");
  }

  @Test
  void theTreeIsTheServersAndRunsTellAllThatIsKnown() {
    ask("May I renew a book?");
    ChatCompletion second = ask("May I bring my dog?");
    page.awaitAll(server);
    JsonNode tree = server.get("/cache").json();
    assertEquals(
        tree.get("runs").findValues("id").stream().map(JsonNode::longValue).sorted().toList(),
        page.runsInSight());
    JsonNode first = tree.get("runs").get(0);
    long id = first.get("id").longValue();
    Locator strip = page.find("[data-key='run " + id + "']");
    assertTrue(strip.getAttribute("aria-label").contains("1 hit"));
    assertTrue(page.text("#tree-summary").startsWith(tree.get("runs").size() + " runs, "));
    strip.click();
    page.page.waitForSelector("#details .heat");
    assertEquals(first.get("tokens").size(), page.tokens("stored"));
    assertEquals(
        2 * 2 * 2, page.find("#details .heat i").count(), "keys and values, layers, heads");
    JsonNode maps = server.get("/cache/runs/" + id).json();
    assertTrue(
        page.find(".heat i").first().getAttribute("data-tip").startsWith("layer 0, head 0: "));
    assertEquals(2, maps.get("keys").size());

    // The request that computed the last run is a click away.
    JsonNode last = tree.get("runs").get(tree.get("runs").size() - 1);
    assertEquals(second.id(), last.get("request").textValue());
    page.find("[data-key='run " + last.get("id").longValue() + "']").click();
    page.find("#details button.inline").click();
    assertTrue(page.text("#details h2").contains(second.id()));
  }

  @Test
  void chunksAndCancelledRequestsAreSeen() throws Exception {
    server.ask(
        "/v1/completions", "{\"prompt\":\"%s\",\"max_tokens\":1}".formatted("x".repeat(199)));
    page.page.waitForSelector("#requests [data-state=finished]").click();
    page.page.waitForSelector("#details .reason");
    assertTrue(
        page.text("#details .facts").contains("64 + 64 + 64 + 8 tokens"), "200 with a begin");
    assertEquals(4, page.find("#requests .computed").count());

    HttpResponse<InputStream> endless =
        server.client.send(
            server
                .post(
                    "/v1/completions",
                    "{\"prompt\":\"y\",\"max_tokens\":3000,\"stream\":true,\"logit_bias\":{\"257\":-100}}")
                .build(),
            BodyHandlers.ofInputStream());
    page.page.waitForSelector("#requests [data-state=decode]");
    endless.body().close();
    page.page.waitForSelector("#requests [data-state=cancelled]").click();
    assertTrue(page.text("#details .state").startsWith("cancelled"));
    assertTrue(page.tokens("generated") > 0);
  }

  @Test
  void pinsComeAndGoAndSearchFinds() {
    assertEquals(
        200,
        server.send("/cache/warm", "{\"name\":\"rules\",\"prompt\":\"" + RULES + "\"}").status());
    page.awaitAll(server);
    assertEquals(1, page.find(".run.held").count());
    page.find(".run.held").click();
    assertTrue(page.text("#details .facts").contains("as rules"));
    server.send(server.request("/cache/pins/rules").DELETE());
    page.page.waitForSelector(".run.held", hidden());
    ask("Where is the desk?");
    page.awaitAll(server);
    page.find("#search").fill("THE DESK?");
    page.page.waitForSelector(".run.dim");
    assertTrue(page.text("#tree-summary").endsWith("1 with this text"));
    page.find("#search").fill("");
    page.page.waitForSelector(".run.dim", hidden());
  }

  private static com.microsoft.playwright.Page.WaitForSelectorOptions hidden() {
    return new com.microsoft.playwright.Page.WaitForSelectorOptions()
        .setState(com.microsoft.playwright.options.WaitForSelectorState.DETACHED);
  }

  @Test
  void fiveHundredEventsAndEvictionsLater() {
    for (int i = 0; server.model.events().last() < 500; i++) {
      server.ask(
          "/v1/completions",
          "{\"prompt\":\"%s number %d %s\",\"max_tokens\":1}"
              .formatted(RULES, i % 40, "on and on ".repeat(i % 90)));
    }
    page.awaitAll(server);
    JsonNode stats = server.get("/cache/stats").json();
    assertTrue(stats.at("/storage/removed/size").intValue() > 0, stats.toString());
    page.await("player.store.figures?.bytes === " + stats.at("/storage/bytes").longValue());
    assertEquals(
        stats.at("/storage/bytes").longValue(), page.player("player.store.bytes").longValue());
    page.awaitAll(server);
    assertEquals(
        "%,d".formatted(stats.at("/storage/removed/size").intValue()),
        page.text("[data-cause=size] dd"));
    assertTrue(page.text("#memory-summary").endsWith("%"));
    assertTrue(
        page.text("#memory .formula")
            .startsWith(
                "2 keys and values × 2 layers × 2 KV heads × 16 elements × 4 bytes = 512 B per token"));
    assertEquals(
        Math.round(1000.0 * stats.at("/lookups/token_hit_rate").doubleValue()) / 10.0,
        Double.parseDouble(page.text("#total-reused").replace(" %", "")),
        0.051);
  }
}
