package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Locator;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kv4j.apps.serve.http.Keys;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Everything on the page that can be pressed does what it says. */
@Timeout(180)
@ExtendWith(Chromium.class)
class PageUseTest {
  private TestServer server;
  private LivePage page;

  @BeforeEach
  void start(Browser browser) {
    Keys none = new Keys(Optional.empty(), Optional.empty(), Optional.empty());
    server = new TestServer(none, 2, 16, Optional.of(TestServer.WITH_TOOLS));
    page = new LivePage(browser, server.server.url());
  }

  @AfterEach
  void stop() {
    if (server != null) {
      page.checkComplaints();
      page.close();
      server.close();
    }
  }

  private void press(String selector) {
    page.find(selector).click();
  }

  /** Sends the two requests of a button and gives what is said of them. */
  private List<Locator> experiment(String id) {
    press("[data-experiment=" + id + "]");
    page.page.waitForFunction("() => document.querySelectorAll('.cost').length === 2");
    page.page.waitForSelector("[data-experiment=" + id + "]:enabled");
    return page.find(".cost").all();
  }

  private static int number(Locator cost, String name) {
    return Integer.parseInt(cost.getAttribute("data-" + name));
  }

  @Test
  void preparedRequestsShowWhatBreaksAPrefix() {
    List<Locator> prefix = experiment("prefix");
    assertEquals("cold", prefix.get(0).getAttribute("data-reason"));
    int rules = number(prefix.get(1), "cached");
    assertTrue(rules > 300, "the rules were shared: " + rules);
    assertEquals("diverged", prefix.get(1).getAttribute("data-reason"));

    Locator stamped = experiment("timestamp").get(1);
    assertEquals("diverged", stamped.getAttribute("data-reason"));
    assertEquals(
        "<system>Now: 2026-03-02 09:4".length(), number(stamped, "cached") - beginTokens());
    assertTrue(stamped.innerText().contains("2. You a"), stamped.innerText());

    Locator swapped = experiment("tools").get(1);
    assertEquals("diverged", swapped.getAttribute("data-reason"));
    assertTrue(
        number(swapped, "cached") < 80 && number(swapped, "cached") > 10, swapped.innerText());

    Locator edited = experiment("history").get(1);
    assertTrue(number(edited, "cached") > rules, "up to the edit all is as it was");
    assertTrue(edited.innerText().contains("It opens"), edited.innerText());

    List<Locator> salted = experiment("salt");
    assertEquals(0, number(salted.get(1), "cached"));
    assertEquals(number(salted.get(0), "prompt"), number(salted.get(1), "prompt"));

    List<JsonNode> requests = new ArrayList<>();
    page.player("[...player.store.requests.values()]").forEach(requests::add);
    assertEquals(10, requests.size());
    salted.get(1).locator("button").click();
    assertTrue(page.text("#details h2").contains(requests.get(9).at("/id").textValue()));
  }

  private int beginTokens() {
    return server.model.card().tokenizer().addsBegin() ? 1 : 0;
  }

  @Test
  void theChatRemembersWhatWasSaid() {
    page.find("#message").fill("How are you?");
    press(".compose [type=submit]");
    page.page.waitForSelector(".cost");
    page.page.waitForSelector(".compose [type=submit]:enabled");
    page.find("#message").fill("And now?");
    page.find("#message").press("Enter");
    page.page.waitForFunction("() => document.querySelectorAll('.cost').length === 2");
    Locator second = page.find(".cost").nth(1);
    assertTrue(
        number(second, "cached") >= number(page.find(".cost").first(), "prompt"),
        "all of the first is cached");
    page.page.waitForSelector(".compose [type=submit]:enabled");
    press(".compose .quiet");
    assertEquals("", page.text(".log"));
  }

  @Test
  void eventsArePausedSteppedAndReplayed() {
    experiment("prefix");
    page.awaitAll(server);
    press("#pause");
    int shown = page.player("player.position").intValue();
    server.ask("/v1/completions", "{\"prompt\":\"something else\",\"max_tokens\":1}");
    page.await(
        "player.events.some(({ event, data }) => event === 'finished' && data.texts.length === 1)");
    assertEquals(shown, page.player("player.position").intValue(), "paused");
    assertNotEquals(FollowerTree.of(server.get("/cache").json()), page.tree());
    int runs = page.tree().size();
    press("#step");
    assertTrue(page.player("player.position").intValue() > shown);
    assertEquals("queued", page.player("player.events[player.position - 1].event").textValue());
    press("#pause"); // now: resume
    page.awaitAll(server);
    int grown = page.tree().size();
    assertTrue(grown > runs);

    assertEquals(
        "[\"playing\",0]",
        page.player(
                "(document.getElementById('replay').click(), [player.mode, player.store.runs.size])")
            .toString());
    page.await("player.mode === 'live'");
    page.awaitAll(server);
    page.find("#scrub").fill("1");
    assertEquals(0, page.tree().size());
    page.page.waitForFunction(
        "() => document.getElementById('position').textContent.startsWith('1 of ')");
    press("#pause");
    page.awaitAll(server);
  }

  @Test
  void theRestIsThereToLookAround() {
    experiment("prefix");
    page.awaitAll(server);
    double width = widest();
    press("#zoom-in");
    assertEquals(1.6, widest() / width, 0.05);
    press("#zoom-out");
    press("#zoom-in");
    press("#zoom-fit");
    assertEquals(width, widest(), 1);
    page.find("#colour").selectOption("tenant");
    page.page.waitForSelector(".run[data-tenant='0']");
    page.find("#timing").selectOption("clock");
    String light =
        (String) page.page.evaluate("() => getComputedStyle(document.body).backgroundColor");
    press("#theme");
    assertNotEquals(
        light, page.page.evaluate("() => getComputedStyle(document.body).backgroundColor"));
    press("#theme");
    press("#tab-details");
    assertTrue(page.find("#details").isVisible() && !page.find("#try").isVisible());
    press("#tab-try");
    page.find("#tab-try").press("ArrowRight");
    assertTrue(page.find("#details").isVisible());
    page.find("[data-term=radixTree]").hover();
    assertTrue(page.text("#tooltip").contains("fork"));
    page.page.keyboard().press("Escape");
    assertTrue(!page.find("#tooltip").isVisible());

    // By the keyboard alone.
    page.find(".run[tabindex='0']").focus();
    page.page.keyboard().press("Home");
    String at = focused();
    page.page.keyboard().press("ArrowRight");
    assertNotEquals(at, focused());
    page.page.keyboard().press("ArrowLeft");
    assertEquals(at, focused());
    page.page.keyboard().press("End");
    page.page.keyboard().press("Enter");
    page.page.waitForSelector("#details .heat");

    page.page.setViewportSize(390, 844);
    for (String view : List.of("tree", "requests", "memory", "side")) {
      press("#view-" + view);
      assertTrue(page.find("#" + view + "-panel").isVisible());
      assertEquals(
          0,
          page.page.evaluate(
              "() => Math.max(0, document.documentElement.scrollWidth - innerWidth)"),
          "nothing is wider than the screen");
    }
  }

  /** What the widest run's width is to be; it gets there in a moment. */
  private double widest() {
    return ((Number)
            page.page.evaluate(
                "() => Math.max(...[...document.querySelectorAll('.run')].map((run) =>"
                    + " parseFloat(run.style.width)))"))
        .doubleValue();
  }

  private String focused() {
    return (String) page.page.evaluate("() => document.activeElement.dataset.key");
  }
}
